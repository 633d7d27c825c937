// REST: requests, answers, and the problem documents of failures.
import type { FieldError, Problem } from "./types.gen.ts";

/** What a problem document says besides its status and words. */
interface About {
  fields?: FieldError[];
  /** Stable, such as `/problems/unknown`; empty when the answer is not the gateway's. */
  type?: string;
  /** Seconds after which it makes sense to try again; 0 where the answer does not say. */
  retry_s?: number;
}

/** A request that did not succeed; `message` is for people. */
export class Failure extends Error {
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly fields: FieldError[];
  readonly type: string;
  readonly retry_s: number;

  constructor(status: number, message: string, { fields = [], type = "", retry_s = 0 }: About = {}) {
    super(message);
    this.status = status;
    this.fields = fields;
    this.type = type;
    this.retry_s = retry_s;
  }
}

/** An answer that has not come by then never does. */
const DEADLINE_MS = 60_000;

/** The problem of a request that only somebody who is logged in may make. */
export const LOGIN_REQUIRED = "/problems/login-required";

/** Resolves once somebody is logged in again. Rejects when `signal` aborts. */
type Return = (signal: AbortSignal | undefined) => Promise<void>;
let untilReturned: Return | null = null;

/** What a page does when a request finds nobody logged in: the request waits for `act`, and is made once more. */
export function whenLoggedOut(act: Return): void {
  untilReturned = act;
}

interface Options {
  body?: unknown;
  version?: number;
  signal?: AbortSignal;
  keepalive?: boolean;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The answer's JSON (undefined for 204). Throws Failure; a request that `signal` aborts throws AbortError. */
export async function request<T>(method: Method, address: string, options: Options = {}): Promise<T> {
  try {
    return await once<T>(method, address, options);
  } catch (error) {
    if (!(error instanceof Failure) || error.type !== LOGIN_REQUIRED || !untilReturned) throw error;
  }
  // Refused before anything was done, so what it asks for is still to be done.
  await untilReturned(options.signal);
  return once<T>(method, address, options);
}

/** As `request`, but nobody is asked to log in for it. */
export async function once<T>(method: Method, address: string, options: Options = {}): Promise<T> {
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
  throw new Failure(
    response.status,
    `The answer did not come from the gateway (${type.split(";")[0]} instead of JSON).`,
  );
}

async function failure(response: Response): Promise<Failure> {
  const wait = Number(response.headers.get("retry-after"));
  const retry_s = Number.isFinite(wait) ? Math.max(0, wait) : 0;
  const short = new Failure(response.status, `The gateway answered ${response.status}.`, { retry_s });
  if (!response.headers.get("content-type")?.includes("json")) return short;
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
  const message = problem?.detail || problem?.title;
  if (!message) return short;
  return new Failure(response.status, message, { fields: problem?.errors ?? [], type: problem?.type ?? "", retry_s });
}

export const get = <T>(address: string, signal?: AbortSignal): Promise<T> =>
  request<T>("GET", address, signal ? { signal } : {});

/** The text to show for anything thrown by a request. Rethrows what is not a Failure: that is a bug. */
export function reasonOf(error: unknown): string {
  if (error instanceof Failure) return error.message;
  throw error;
}
