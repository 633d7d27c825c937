// REST: requests, answers, and the problem documents of failures.
import type { FieldError, Problem } from "./types.gen.ts";

/** A request that did not succeed; `message` is for people. */
export class Failure extends Error {
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly fields: FieldError[];

  constructor(status: number, message: string, fields: FieldError[] = []) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

/** An answer that has not come by then never does. */
const DEADLINE_MS = 60_000;

/** The answer's JSON (undefined for 204). Throws Failure; a request that `signal` aborts throws AbortError. */
export async function request<T>(
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  address: string,
  options: { body?: unknown; version?: number; signal?: AbortSignal; keepalive?: boolean } = {},
): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const init: RequestInit = {
    method,
    headers,
    signal: options.signal ? AbortSignal.any([options.signal, deadline]) : deadline,
  };
  if (options.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  // Arrives also when the page that sent it is left meanwhile.
  if (options.keepalive) init.keepalive = true;
  if (options.version !== undefined) headers["if-match"] = String(options.version);
  try {
    const response = await fetch(`/api/v1${address}`, init);
    if (!response.ok) throw await failure(response);
    return (response.status === 204 ? undefined : await json(response)) as T;
  } catch (error) {
    if (error instanceof Failure || options.signal?.aborted) throw error;
    if (deadline.aborted) throw new Failure(0, `The gateway did not answer within ${DEADLINE_MS / 1000} s.`);
    throw new Failure(0, "The gateway cannot be reached.");
  }
}

/** Something between here and the gateway (a proxy, a login page) may answer with a page of its own. */
async function json(response: Response): Promise<unknown> {
  const type = response.headers.get("content-type") ?? "no content type";
  const text = await response.text();
  try {
    if (type.includes("json")) return JSON.parse(text);
  } catch {
    // Said below.
  }
  throw new Failure(response.status, `The answer is not the gateway's (${type.split(";")[0]} instead of JSON).`);
}

async function failure(response: Response): Promise<Failure> {
  const short = new Failure(response.status, `The gateway answered ${response.status}.`);
  if (!response.headers.get("content-type")?.includes("json")) return short;
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  const message = problem?.detail || problem?.title;
  return message ? new Failure(response.status, message, problem?.errors ?? []) : short;
}

export const get = <T>(address: string, signal?: AbortSignal): Promise<T> =>
  request<T>("GET", address, signal ? { signal } : {});

/** The text to show for anything thrown by a request. Rethrows what is not a Failure: that is a bug. */
export function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}
