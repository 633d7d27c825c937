// The form of one operation, and what came back.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Field } from "../shell/field.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { asked, bodyOf, curl, type Document, example, type Operation, type Parameter, words } from "./document.ts";
import { type Answer, send } from "./sending.ts";

interface TrialProps {
  operation: Operation;
  document: Document;
}

export function Trial({ operation, document }: TrialProps) {
  const values = useSignal<Record<string, string>>({});
  const wanted = bodyOf(operation);
  const isJson = wanted?.type === "application/json";
  const body = useSignal(wanted && isJson ? JSON.stringify(example(wanted.schema, document), null, 2) : "");
  const answer = useSignal<Answer | null>(null);
  const error = useSignal<string | null>(null);
  const missing = useSignal(false);
  const underway = useSignal(false);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const request = asked(operation, values.value);
  const text = wanted && (body.value || operation.requestBody?.required) ? body.value : null;

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    missing.value = request === null;
    if (request === null || underway.value) return;
    const controller = new AbortController();
    abort.current = controller;
    underway.value = true;
    error.value = null;
    answer.value = null;
    try {
      const sent = wanted && text !== null ? { type: wanted.type, text } : null;
      await send(operation.method, request, sent, controller.signal, (part) => {
        answer.value = part;
      });
    } catch (reason) {
      if (!controller.signal.aborted) error.value = `No answer: ${reason instanceof Error ? reason.message : reason}.`;
    } finally {
      underway.value = false;
    }
  }

  return (
    <form class="trial" noValidate onSubmit={submit}>
      {operation.description && <p>{operation.description}</p>}
      {(operation.parameters ?? []).map((parameter) => (
        <Input key={parameter.name} parameter={parameter} values={values} missing={missing.value} />
      ))}
      {wanted && (
        <Field label={`Body${operation.requestBody?.required ? "" : " (optional)"}`} hint={said(wanted)} wide>
          <textarea
            rows={Math.min(16, body.value.split("\n").length + 1)}
            spellcheck={false}
            value={body.value}
            onInput={(event) => {
              body.value = event.currentTarget.value;
            }}
          />
        </Field>
      )}
      {request && (
        <Scroller label="The same with curl">
          <pre class="line">{curl(operation.method, request, text, location.origin)}</pre>
        </Scroller>
      )}
      <div class="control">
        <button type="submit" class="primary" disabled={underway.value}>
          {underway.value ? "Sending …" : "Send"}
        </button>
        {underway.value && (
          <button type="button" onClick={() => abort.current?.abort()}>
            Stop
          </button>
        )}
      </div>
      {error.value && (
        <p class="error" role="alert">
          {error.value}
        </p>
      )}
      {answer.value && <Shown answer={answer.value} />}
    </form>
  );
}

const said = ({ type, schema }: { type: string; schema: Parameters<typeof words>[0] }): string =>
  type === "application/json" ? words(schema) : type;

interface InputProps {
  parameter: Parameter;
  values: Signal<Record<string, string>>;
  missing: boolean;
}

function Input({ parameter: { name, in: place, required, description, schema }, values, missing }: InputProps) {
  const value = values.value[name] ?? "";
  const change = (next: string) => {
    values.value = { ...values.value, [name]: next };
  };
  const hint = [description, description ? "" : words(schema)].filter(Boolean).join(" ");
  const otherwise = schema.default === undefined ? "" : String(schema.default);
  const error = missing && place === "path" && value === "" ? "Required." : undefined;
  return (
    <Field
      label={`${name}${required ? "" : " (optional)"}${place === "header" ? ", header" : ""}`}
      hint={hint}
      error={error}
    >
      {schema.enum ? (
        <select value={value} onChange={(event) => change(event.currentTarget.value)}>
          <option value="">{otherwise || "–"}</option>
          {schema.enum.map((one) => (
            <option key={String(one)} value={String(one)}>
              {String(one)}
            </option>
          ))}
        </select>
      ) : (
        <input
          type="text"
          value={value}
          placeholder={otherwise}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

function Shown({ answer: { status, took_ms, headers, text, cut } }: { answer: Answer }) {
  const told = headers.filter(([name]) => ["content-type", "etag", "retry-after"].includes(name));
  return (
    <section class="answer" aria-label="Answer">
      <p role="status">
        <strong class={status < 400 ? "tone-up" : "tone-critical"}>{status}</strong> after {Math.round(took_ms)} ms
      </p>
      <p class="hint">{told.map(([name, value]) => `${name}: ${value}`).join(" · ")}</p>
      {text && (
        <Scroller label="Body">
          <pre>{text}</pre>
        </Scroller>
      )}
      {cut && <p class="hint">More came than is shown.</p>}
    </section>
  );
}
