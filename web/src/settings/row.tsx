// One setting: its value by type, saved by itself, with its version, so that nobody overwrites what somebody else changed.
import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Failure, get, request } from "../api/client.ts";
import type { Setting } from "../api/types.gen.ts";
import { kindOf, parsed, shown, wordsOf } from "./values.ts";

interface RowProps {
  setting: Setting;
  onSaved: (setting: Setting) => void;
  children?: ComponentChildren;
}

export function SettingRow({ setting, onSaved, children }: RowProps) {
  const kind = setting.secret ? "text" : kindOf(setting);
  const { label, unit } = wordsOf(setting.key);
  /** What is typed; null while the field shows the stored value. */
  const typed = useSignal<string | null>(null);
  /** The version that the typing began with: the one a save must still find. */
  const version = useSignal(setting.version);
  const error = useSignal<string | null>(null);
  const theirs = useSignal<Setting | null>(null);
  const done = useSignal(false);

  useSignalEffect(() => {
    if (!done.value) return undefined;
    const timer = setTimeout(() => {
      done.value = false;
    }, 4000);
    return () => clearTimeout(timer);
  });

  const value = typed.value ?? (setting.secret ? "" : shown(kind, setting.value));
  const dirty =
    typed.value !== null && (setting.secret ? typed.value !== "" : typed.value !== shown(kind, setting.value));
  const type = (text: string) => {
    if (typed.value === null) version.value = setting.version;
    typed.value = text;
    done.value = false;
  };
  const reset = () => {
    typed.value = null;
    error.value = null;
    theirs.value = null;
  };

  async function save(next: unknown, expected: number): Promise<void> {
    error.value = null;
    theirs.value = null;
    try {
      onSaved(await request<Setting>("PUT", `/settings/${setting.key}`, { body: { value: next }, version: expected }));
      typed.value = null;
      done.value = true;
    } catch (reason) {
      if (!(reason instanceof Failure)) throw reason;
      if (reason.status === 412) theirs.value = await get<Setting>(`/settings/${setting.key}`);
      else error.value = reason.fields[0]?.reason ?? reason.message;
    }
  }

  const id = `setting-${setting.key}`;
  const fieldType = setting.secret ? "password" : kind === "number" ? "number" : "text";
  const input =
    kind === "boolean" ? (
      <input
        id={id}
        type="checkbox"
        checked={value === "true"}
        onChange={(event) => type(String(event.currentTarget.checked))}
      />
    ) : (
      <input
        id={id}
        type={fieldType as "text"}
        step="any"
        class={kind === "number" ? "short" : ""}
        value={value}
        autocomplete="off"
        spellcheck={false}
        placeholder={setting.secret ? (setting.set ? "set; type to replace it" : "not set") : ""}
        aria-invalid={error.value ? "true" : undefined}
        aria-describedby={`${id}-about`}
        onInput={(event) => type(event.currentTarget.value)}
      />
    );
  return (
    <form
      class={`setting ${error.value ? "wrong" : ""}`}
      data-setting={setting.key}
      onSubmit={(event) => {
        event.preventDefault();
        if (dirty) void save(parsed(kind, value), version.value);
      }}
    >
      <label for={id}>{label}</label>
      <div class="control">
        {input}
        {unit && <span class="unit">{unit}</span>}
        {dirty && (
          <>
            <button type="submit" class="primary">
              Save
            </button>
            <button type="button" onClick={reset}>
              Undo
            </button>
          </>
        )}
        {!dirty && setting.secret && setting.set && (
          <button type="button" class="danger" onClick={() => void save("", setting.version)}>
            Remove
          </button>
        )}
        {!dirty && !setting.secret && shown(kind, setting.value) !== shown(kind, setting.default) && (
          <button
            type="button"
            class="quiet"
            title={`Default: ${shown(kind, setting.default) || "empty"}`}
            onClick={() => void save(setting.default, setting.version)}
          >
            Use default
          </button>
        )}
        {done.value && (
          <span class="tone-up" role="status">
            Saved
          </span>
        )}
      </div>
      <p class="hint" id={`${id}-about`}>
        {setting.description}
      </p>
      {error.value && (
        <p class="error" role="alert">
          {error.value}
        </p>
      )}
      {theirs.value && (
        <Conflict
          theirs={theirs.value}
          kind={kind}
          onTake={() => {
            onSaved(theirs.value as Setting);
            reset();
          }}
          onOverwrite={(at) => void save(parsed(kind, value), at)}
        />
      )}
      {children}
    </form>
  );
}

interface ConflictProps {
  theirs: Setting;
  kind: ReturnType<typeof kindOf>;
  onTake: () => void;
  onOverwrite: (version: number) => void;
}

/** Somebody else was faster: both values are told, and the choice is left to the person. */
function Conflict({ theirs, kind, onTake, onOverwrite }: ConflictProps) {
  return (
    <div class="notice warn" role="alert">
      <p>
        Not saved: somebody changed this meanwhile
        {theirs.secret ? "." : ` to “${shown(kind, theirs.value)}”.`}
      </p>
      <div>
        <button type="button" onClick={onTake}>
          Take theirs
        </button>
        <button type="button" onClick={() => onOverwrite(theirs.version)}>
          Save mine over it
        </button>
      </div>
    </div>
  );
}
