// The button over the table that opens what its columns and its order are chosen in.
import { lazy } from "../shell/lazy.tsx";
import { ColumnsIcon } from "./icons.tsx";

const ColumnPicker = lazy("the choice", async () => (await import("./column_picker.tsx")).ColumnPicker);

export function ColumnsButton() {
  return (
    <>
      <button type="button" class="columns" popovertarget="columns">
        <ColumnsIcon />
        <span>Columns</span>
      </button>
      <div id="columns" class="columns-choice panel" popover="auto">
        <ColumnPicker />
      </div>
    </>
  );
}
