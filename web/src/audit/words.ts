// What an entry of the audit log says, in words. Pure.
import type { AuditEntry } from "../api/types.gen.ts";

const METHODS: Record<string, string> = { POST: "added", PUT: "set", PATCH: "changed", DELETE: "removed" };

/** `PATCH /hosts/{host}` as `changed hosts`; an action that is a word already stays. */
export function actionWords(action: string): string {
  const [method = "", path] = action.split(" ");
  const verb = METHODS[method];
  if (!verb || !path) return action;
  const parts = path.split("/").filter((part) => part && !part.startsWith("{"));
  return `${verb} ${parts.join(", ").replaceAll("-", " ")}`;
}

const WAYS: Record<AuditEntry["by"], string> = {
  session: "",
  token: "by API token",
  proxy: "by the proxy",
  anonymous: "without a login",
  command: "by a command on the server",
  nobody: "not logged in",
};

/** How somebody did it, where that is worth a word. */
export const wayWords = (by: AuditEntry["by"]): string => WAYS[by];
