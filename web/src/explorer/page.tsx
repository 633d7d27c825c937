// Every operation of the document, and a form to try each.
import { useSignal } from "@preact/signals";
import { get } from "../api/client.ts";
import type { Me } from "../api/types.gen.ts";
import { Loaded, useAsked } from "../shell/loaded.tsx";
import { Strip } from "../shell/strip.tsx";
import { byTag, type Document, may, type Operation } from "./document.ts";
import { Trial } from "./trial.tsx";

type Asked = [Document, Me];

const ask = (signal: AbortSignal): Promise<Asked> =>
  Promise.all([get<Document>("/openapi.json", signal), get<Me>("/session", signal)]);

export function Page() {
  const asked = useAsked(ask);
  return (
    <>
      {asked.state.value.value?.[1].demonstration && <Strip />}
      <main class="explorer">
        <header>
          <h1>
            <a href="/">Sonde</a> API
          </h1>
          {asked.state.value.value && <p class="hint">{whoseRequests(asked.state.value.value[1])}</p>}
          <p class="hint">
            The document behind this page: <a href="/api/v1/openapi.json">openapi.json</a>
          </p>
        </header>
        <Loaded from={asked} what="The document of the API">
          {([document, me]) => <Operations document={document} me={me} />}
        </Loaded>
      </main>
    </>
  );
}

function Operations({ document, me }: { document: Document; me: Me }) {
  const search = useSignal("");
  const shown = byTag(document, search.value.trim());
  return (
    <>
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
      {[...shown].map(([tag, operations]: [string, Operation[]]) => (
        <section key={tag} aria-labelledby={`tag-${tag}`}>
          <h2 id={`tag-${tag}`}>{tag}</h2>
          {operations.map((operation) => (
            <One
              key={operation.operationId}
              operation={operation}
              document={document}
              allowed={may(me.role, operation["x-role"])}
            />
          ))}
        </section>
      ))}
      {shown.size === 0 && <p>No request has all of these words.</p>}
    </>
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
