// A form field with its label, its hint, and its error where it can be seen.
import { type ComponentChildren, cloneElement, toChildArray, type VNode } from "preact";
import { useId } from "preact/hooks";
import "../style/forms.css";

interface FieldProps {
  label: string;
  error?: string | undefined;
  hint?: string | undefined;
  unit?: string | undefined;
  wide?: boolean;
  /** The input first; anything after it is shown as it is. */
  children: ComponentChildren;
}

export function Field({ label, error, hint, unit, wide, children }: FieldProps) {
  const id = useId();
  const [input, ...rest] = toChildArray(children) as VNode<Record<string, unknown>>[];
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  const properties = { id, "aria-invalid": error ? "true" : undefined, "aria-describedby": described || undefined };
  return (
    <div class={`field ${wide ? "wide-field" : ""} ${error ? "wrong" : ""}`}>
      <label for={id}>{label}</label>
      <div class="control">
        {input && cloneElement(input, properties)}
        {unit && <span class="unit">{unit}</span>}
        {rest}
      </div>
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint && !error && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
