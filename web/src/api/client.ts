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

/** The answer's JSON (undefined for 204). Throws Failure; an aborted request throws AbortError. */
export async function request<T>(
  method: "GET" | "POST" | "PUT" | "DELETE",
  address: string,
  options: { body?: unknown; version?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  const init: RequestInit = { method, headers };
  if (options.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.version !== undefined) headers["if-match"] = String(options.version);
  if (options.signal) init.signal = options.signal;
  let response: Response;
  try {
    response = await fetch(`/api/v1${address}`, init);
  } catch (error) {
    if (error instanceof DOMException) throw error;
    throw new Failure(0, "The gateway cannot be reached.");
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  throw await failure(response);
}

async function failure(response: Response): Promise<Failure> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) return new Failure(response.status, `The gateway answered ${response.status}.`);
  const problem = (await response.json()) as Partial<Problem>;
  const message = problem.detail || problem.title || `The gateway answered ${response.status}.`;
  return new Failure(response.status, message, problem.errors ?? []);
}

export const get = <T>(address: string, signal?: AbortSignal): Promise<T> =>
  request<T>("GET", address, signal ? { signal } : {});

/** The text to show for anything thrown by a request. Rethrows what is not a Failure: that is a bug. */
export function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}
