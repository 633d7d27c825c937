// The address of an incident's dialog.
import { path, query } from "../router.ts";

/** Over the alerts as they are looked at; from other pages, over all of them. */
export function incidentHref(id: number): string {
  const next = new URLSearchParams(path.value === "/alerts" ? query.value : "");
  next.set("incident", String(id));
  return `/alerts?${next}`;
}
