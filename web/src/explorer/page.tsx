// Every operation of the document, and a form to try each.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, reasonOf } from "../api/client.ts";
import type { Me } from "../api/types.gen.ts";
import { byTag, type Document, may, type Operation } from "./document.ts";
import { Trial } from "./trial.tsx";

export function Page() {
  const document = useSignal<Document | null>(null);
  const me = useSignal<Me | null>(null);
  const error = useSignal<string | null>(null);
  const search = useSignal("");
  const shown = useComputed(() => (document.value ? byTag(document.value, search.value.trim()) : new Map()));
  useEffect(() => {
    Promise.all([get<Document>("/openapi.json"), get<Me>("/session")])
      .then(([got, who]) => {
        document.value = got;
        me.value = who;
      })
      .catch((reason: unknown) => {
        error.value = reasonOf(reason);
      });
  }, [document, me, error]);
  return (
    <main class="explorer">
      <header>
        <h1>
          <a href="/">Sonde</a> API
        </h1>
        {me.value && <p class="hint">{whoseRequests(me.value)}</p>}
        <p class="hint">
          The document behind this page: <a href="/api/v1/openapi.json">openapi.json</a>
        </p>
      </header>
      {error.value && (
        <p class="error" role="alert">
          {error.value}
        </p>
      )}
      {document.value && (
        <label class="search">
          <span>Find</span>
          <input
            type="search"
            value={search.value}
            placeholder="hosts, series, rule …"
            onInput={(event) => {
              search.value = event.currentTarget.value;
            }}
          />
        </label>
      )}
      {[...shown.value].map(([tag, operations]: [string, Operation[]]) => (
        <section key={tag} aria-labelledby={`tag-${tag}`}>
          <h2 id={`tag-${tag}`}>{tag}</h2>
          {operations.map((operation) => (
            <One
              key={operation.operationId}
              operation={operation}
              document={document.value as Document}
              allowed={may(me.value?.role ?? null, operation["x-role"])}
            />
          ))}
        </section>
      ))}
      {document.value && shown.value.size === 0 && <p>No request has all of these words.</p>}
    </main>
  );
}

function whoseRequests({ name, role }: Me): string {
  if (role === null) return "You are not logged in: only requests that need no login will be answered.";
  return `Requests are sent as ${name || "anybody"}, who has the role ${role}.`;
}

interface OneProps {
  operation: Operation;
  document: Document;
  allowed: boolean;
}

function One({ operation, document, allowed }: OneProps) {
  const open = useSignal(false);
  const role = operation["x-role"];
  return (
    <details
      id={operation.operationId}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        <code class={`method ${operation.method.toLowerCase()}`}>{operation.method}</code> <code>{operation.path}</code>{" "}
        <span class="about">{operation.summary}</span>{" "}
        <small class={allowed ? "" : "refused"}>{role ? `needs ${role}` : "no login"}</small>
      </summary>
      {open.value && <Trial operation={operation} document={document} />}
    </details>
  );
}
