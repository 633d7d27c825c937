// Sends a request as it is typed, and reads whatever comes back: JSON, text, or a stream for as long as it is wanted.
import type { Asked } from "./document.ts";

export interface Answer {
  status: number;
  took_ms: number;
  headers: [string, string][];
  text: string;
  /** Whether more came than is shown, or may still come. */
  cut: boolean;
}

const MOST_CHARACTERS = 200_000;

/** The answer so far, given to `show` whenever there is more of it. Throws what fetch throws. */
export async function send(
  method: string,
  { address, headers }: Asked,
  body: { type: string; text: string } | null,
  signal: AbortSignal,
  show: (answer: Answer) => void,
): Promise<void> {
  const began = performance.now();
  const init: RequestInit = { method, headers: { ...headers }, signal };
  if (body) {
    init.body = body.text;
    init.headers = { ...headers, "content-type": body.type };
  }
  const response = await fetch(address, init);
  const answer: Answer = {
    status: response.status,
    took_ms: performance.now() - began,
    headers: [...response.headers],
    text: "",
    cut: false,
  };
  show(answer);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let text = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    text += next.value;
    const cut = text.length > MOST_CHARACTERS;
    show({ ...answer, text: text.slice(0, MOST_CHARACTERS), cut });
    if (cut) {
      await reader.cancel();
      return;
    }
  }
  if (response.headers.get("content-type")?.includes("json")) show({ ...answer, text: pretty(text) });
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
