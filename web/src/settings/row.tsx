// One setting: its value by type, saved by itself, with its version, so that nobody overwrites what somebody else changed.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Failure, get, reasonOf, request } from "../api/client.ts";
import type { Setting } from "../api/types.gen.ts";
import { lacking } from "../login/me.ts";
import { Conflict } from "../shell/conflict.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";
import { boundsOf, faultOf, kindOf, labelled, parsed, shown, wordsOf } from "./values.ts";

/** How long "Saved" stands beside the field. */
const SAVED_MS = 4000;

interface RowProps {
  setting: Setting;
  /** The setting as the gateway has it now. */
  onSaved: (setting: Setting) => void;
}

export function SettingRow({ setting, onSaved }: RowProps) {
  const kind = setting.secret ? "text" : kindOf(setting);
  const { label, unit } = wordsOf(setting.key);
  const bounds = boundsOf(setting);
  const readOnly = lacking("admin") !== null;
  const field = useRef<HTMLInputElement>(null);
  /** What is typed; null while the field shows the stored value. */
  const typed = useSignal<string | null>(null);
  /** The version that the typing began with: the one a save must still find. */
  const version = useSignal(setting.version);
  const error = useSignal<string | null>(null);
  const theirs = useSignal<Setting | null>(null);
  /** What is to be saved over somebody else's: what was refused, or is typed since; undefined for the default. */
  const mine = useRef<unknown>(undefined);
  const busy = useSignal(false);
  const done = useSignal(false);

  useSignalEffect(() => {
    if (!done.value) return undefined;
    const timer = setTimeout(() => {
      done.value = false;
    }, SAVED_MS);
    return () => clearTimeout(timer);
  });

  const value = typed.value ?? (setting.secret ? "" : shown(kind, setting.value));
  const dirty =
    typed.value !== null && (setting.secret ? typed.value !== "" : typed.value !== shown(kind, setting.value));
  useUnsaved(label, dirty);

  function type(text: string): void {
    if (typed.value === null) version.value = setting.version;
    typed.value = text;
    mine.current = parsed(kind, text);
    error.value = null;
    done.value = false;
  }
  function reset(): void {
    typed.value = null;
    error.value = null;
    theirs.value = null;
    field.current?.focus();
  }

  /** `next` is undefined for the default. The button that asked for it goes with the change, so the focus goes to the field. */
  async function save(next: unknown, expected: number): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    error.value = null;
    theirs.value = null;
    mine.current = next;
    field.current?.focus();
    try {
      const address = `/settings/${setting.key}`;
      const sent = typed.value;
      const saved =
        next === undefined
          ? await request<Setting>("DELETE", address, { version: expected })
          : await request<Setting>("PUT", address, { body: { value: next }, version: expected });
      onSaved(saved);
      // What was typed meanwhile stays, and begins with what was saved.
      if (typed.value === sent) typed.value = null;
      else version.value = saved.version;
      done.value = true;
    } catch (reason) {
      await explain(reason);
    } finally {
      busy.value = false;
    }
  }
  async function explain(reason: unknown): Promise<void> {
    if (!(reason instanceof Failure)) throw reason;
    error.value = reason.status === 412 ? null : labelled(reason.fields[0]?.reason ?? reason.message);
    if (reason.status !== 412) return;
    try {
      theirs.value = await get<Setting>(`/settings/${setting.key}`);
    } catch (unread) {
      error.value = `Not saved: somebody changed this meanwhile. ${reasonOf(unread)}`;
    }
  }
  function submit(event: Event): void {
    event.preventDefault();
    if (!dirty) return;
    error.value = faultOf(setting, value);
    if (error.value) field.current?.focus();
    else void save(parsed(kind, value), version.value);
  }

  const canGoBack =
    !setting.secret && (setting.invalid !== "" || shown(kind, setting.value) !== shown(kind, setting.default));
  const id = `setting-${setting.key}`;
  const described = [
    error.value && `${id}-error`,
    setting.invalid && `${id}-invalid`,
    `${id}-about`,
    bounds && `${id}-bounds`,
  ]
    .filter(Boolean)
    .join(" ");
  const common = {
    id,
    ref: field,
    "aria-invalid": error.value ? ("true" as const) : undefined,
    "aria-describedby": described,
  };
  return (
    <form class={`setting ${error.value ? "wrong" : ""}`} data-setting={setting.key} noValidate onSubmit={submit}>
      <label for={id}>{label}</label>
      <div class="control">
        {kind === "boolean" ? (
          <input
            {...common}
            type="checkbox"
            disabled={readOnly}
            checked={value === "true"}
            onChange={(event) => type(String(event.currentTarget.checked))}
          />
        ) : (
          <input
            {...common}
            type={(setting.secret ? "password" : "text") as "text"}
            inputMode={kind === "number" ? "decimal" : undefined}
            class={kind === "number" ? "short" : ""}
            value={value}
            readOnly={readOnly}
            autocomplete="off"
            spellcheck={false}
            placeholder={setting.secret ? (setting.set ? "set; type to replace it" : "not set") : ""}
            onInput={(event) => type(event.currentTarget.value)}
          />
        )}
        {unit && <span class="unit">{unit}</span>}
        {dirty && (
          <>
            <button type="submit" class="primary">
              {busy.value ? "Saving …" : "Save"}
            </button>
            <button type="button" onClick={reset}>
              Undo
            </button>
          </>
        )}
        {!dirty && !readOnly && setting.secret && setting.set && (
          <button type="button" class="danger" onClick={() => void save(undefined, setting.version)}>
            Remove
          </button>
        )}
        {!dirty && !readOnly && canGoBack && (
          <button type="button" class="quiet" onClick={() => void save(undefined, setting.version)}>
            Use default
          </button>
        )}
        <span class="tone-up" role="status">
          {done.value && "Saved"}
        </span>
      </div>
      {error.value && (
        <p class="error" id={`${id}-error`} role="alert">
          {error.value}
        </p>
      )}
      {setting.invalid && (
        <p class="error" id={`${id}-invalid`}>
          {`What is stored cannot be used, and another value is in force. ${labelled(setting.invalid)}`}
        </p>
      )}
      <p class="hint">
        <span id={`${id}-about`}>{setting.description}</span>
        {bounds && (
          <span class="bounds" id={`${id}-bounds`}>
            {bounds}
          </span>
        )}
      </p>
      {theirs.value && (
        <Conflict
          onTake={() => {
            onSaved(theirs.value as Setting);
            reset();
          }}
          onOverwrite={() => void save(mine.current, theirs.value?.version ?? 0)}
        >
          {theirs.value.secret
            ? "Somebody changed this meanwhile."
            : `Somebody changed this meanwhile to “${shown(kind, theirs.value.value)}”.`}
        </Conflict>
      )}
    </form>
  );
}
