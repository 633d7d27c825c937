// The audit log: who changed what, the latest first.

import { Restricted } from "../people/restricted.tsx";
import { query, setQuery } from "../router.ts";
import { useTitle } from "../shell/title.ts";
import { Filters } from "./filters.tsx";
import { Log } from "./log.tsx";
import "../style/forms.css";

export function AuditPage() {
  useTitle("Audit log");
  const who = query.value.get("who") ?? "";
  const target = query.value.get("target") ?? "";
  return (
    <Restricted needs="admin" title="Audit log">
      <Filters key={`${who} ${target}`} who={who} target={target} onAsked={(asked) => setQuery(asked)} />
      <Log key={`log ${who} ${target}`} who={who} target={target} />
    </Restricted>
  );
}
