// What an entry of the audit log says, in words. Pure.
import type { AuditEntry } from "../api/types.gen.ts";
import { moment } from "../format.ts";

/** Every operation that is in the log, in words that are followed by the target. */
const DEEDS: Record<string, string> = {
  "POST /session": "logged in:",
  "POST /session/link": "set a password by a link:",
  "DELETE /session": "logged out:",
  "PUT /session/password": "changed the password of",
  "POST /session/second-factor": "was offered a second factor:",
  "PUT /session/second-factor": "switched on the second factor of",
  "DELETE /session/second-factor": "switched off the second factor of",
  "POST /session/second-factor/recovery-codes": "made new recovery codes for",
  "DELETE /sessions/{session}": "ended a session of",
  "POST /users": "added the user",
  "PATCH /users/{user}": "changed the user",
  "DELETE /users/{user}": "deleted the user",
  "POST /users/{user}/link": "made a one-time link for",
  "POST /tokens": "made an API token",
  "DELETE /tokens/{token}": "revoked the API token",
  "POST /views": "saved the view",
  "PUT /views": "changed the order of views:",
  "PUT /views/{view}": "changed the view",
  "DELETE /views/{view}": "deleted the view",
  "PUT /preferences": "changed the preferences of",
  "DELETE /viewers/{viewer}": "disconnected the viewer",
  "PUT /settings/{setting}": "changed the setting",
  "DELETE /settings/{setting}": "reset the setting",
  "PUT /configuration": "changed by an import:",
  "POST /rules": "added the rule",
  "PUT /rules/{rule}": "changed the rule",
  "DELETE /rules/{rule}": "deleted the rule",
  "POST /incidents/{incident}/acknowledge": "acknowledged the incident",
  "DELETE /incidents/{incident}/acknowledge": "took back the acknowledgement of the incident",
  "POST /incidents/{incident}/notes": "wrote a note on the incident",
  "POST /incidents/bulk": "changed the incident",
  "POST /silences": "made the silence",
  "PUT /silences/{silence}": "changed the silence",
  "POST /silences/{silence}/expire": "ended the silence",
  "DELETE /silences/{silence}": "deleted the silence",
  "POST /routes": "added the route",
  "POST /routes/order": "changed the order of the",
  "PUT /routes/{route}": "changed the route",
  "DELETE /routes/{route}": "deleted the route",
  "POST /channels": "added the channel",
  "PUT /channels/{channel}": "changed the channel",
  "POST /channels/{channel}/release": "released the channel",
  "DELETE /channels/{channel}": "deleted the channel",
  "POST /enrolment-tokens": "made a line to add a machine:",
  "DELETE /enrolment-tokens/{enrolment_token}": "withdrew a line to add a machine:",
  "POST /hosts": "made the host",
  "POST /hosts/bulk": "changed the host",
  "PATCH /hosts/{host}": "changed the host",
  "DELETE /hosts/{host}": "removed the host",
  "POST /hosts/{host}/revoke": "revoked the identity of",
  "POST /hosts/{host}/rotate": "renewed the identity of",
  "PUT /hosts/{host}/config": "changed the agent settings of",
  "DELETE /hosts/{host}/config": "reset the agent settings of",
  "PUT /agents/config": "changed the agent settings of",
  "DELETE /agents/config": "reset the agent settings of",
  "POST /hosts/{host}/commands/{verb}": "gave an order to",
};
const METHODS: Record<string, string> = { POST: "added", PUT: "set", PATCH: "changed", DELETE: "removed" };

/** What somebody did: of many hosts at once, and of one that leaves, by what it is now. */
export function deedWords({ action, after }: Pick<AuditEntry, "action" | "after">): string {
  if (action === "POST /hosts/bulk" || action === "DELETE /hosts/{host}") {
    const { state, command } = (after ?? {}) as { state?: unknown; command?: unknown };
    if (state === "archived") return "archived the host";
    if (state === "removed") return actionWords("DELETE /hosts/{host}");
    if (command !== undefined) return actionWords("POST /hosts/{host}/commands/{verb}");
  }
  return actionWords(action);
}

/** `PATCH /hosts/{host}` as `changed the host`, one without words of its own by its path; a word stays as it is. */
export function actionWords(action: string): string {
  const [method = "", path] = action.split(" ");
  const verb = METHODS[method];
  if (!verb || !path?.startsWith("/")) return action;
  const parts = path.split("/").filter((part) => part && !part.startsWith("{"));
  return DEEDS[action] ?? `${verb} ${parts.join(", ").replaceAll("-", " ")}`;
}

const WAYS: Record<AuditEntry["by"], string> = {
  session: "",
  token: "by API token",
  proxy: "by the proxy",
  anonymous: "without a login",
  command: "by a command on the server",
  nobody: "",
};

/** How somebody did it, where that is worth a word. */
export const wayWords = (by: AuditEntry["by"]): string => WAYS[by];

const ISO = /^"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)"$/;

/** What moments are called; a number of any other name may be a size. */
const MOMENTS = /(^|[._])(created|ends|expires|from|last|made|revoked|since|starts|time|to|until|used)$/;

/** JSON of the leaf at `path` as people read it: texts without quotes, moments (ISO, Unix seconds or milliseconds) as dates. */
export function valueWords(json: string, path = ""): string {
  const number = MOMENTS.test(path) && /^1[0-9]{9}/.test(json) ? Number(json) : 0;
  if (number > 0) return moment(number < 1e12 ? 1000 * number : number);
  if (ISO.test(json)) return moment(Date.parse(JSON.parse(json)));
  if (!json.startsWith('"')) return json;
  return JSON.parse(json) || "empty";
}
