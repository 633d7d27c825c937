// The audit log: who changed what, the latest first.
import { query, setQuery } from "../router.ts";
import { AdminOnly } from "../people/admins.tsx";
import { useTitle } from "../shell/title.ts";
import { Filters } from "./filters.tsx";
import { Log } from "./log.tsx";
import "../style/forms.css";

export function AuditPage() {
  useTitle("Audit log");
  const who = query.value.get("who") ?? "";
  const target = query.value.get("target") ?? "";
  return (
    <AdminOnly title="Audit log">
      <Filters
        key={`${who} ${target}`}
        who={who}
        target={target}
        onAsked={(asked) => setQuery(asked)}
      />
      <Log key={`log ${who} ${target}`} who={who} target={target} />
    </AdminOnly>
  );
}
