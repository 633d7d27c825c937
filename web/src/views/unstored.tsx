// Says that what was just preferred counts in this browser alone so far.
import { unstored } from "../preferences.ts";

export function Unstored() {
  return (
    <p role="status" class="error">
      {unstored.value && `Not stored with your account yet. ${unstored.value} This browser keeps it meanwhile.`}
    </p>
  );
}
