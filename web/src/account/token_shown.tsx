// A token that was just made: its secret, this once, and how it is used.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { MadeApiToken } from "../api/types.gen.ts";
import { Line } from "../shell/line.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";
import { examplePath } from "./scopes.ts";

/** A request that shows that it works. */
const example = (origin: string, { secret, token }: MadeApiToken): string =>
  `curl -H "Authorization: Bearer ${secret}" ${origin}${examplePath(token.scopes)}`;

export function TokenShown({ made, onDone }: { made: MadeApiToken; onDone: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const copied = useSignal(false);
  useUnsaved("the token, which is not shown again", !copied.value);
  const onCopied = () => {
    copied.value = true;
  };
  useEffect(() => box.current?.querySelector<HTMLElement>("[data-next]")?.focus(), []);
  return (
    <div class="stacked made" ref={box}>
      <p>
        <b>Keep this token.</b> It is not shown again.
      </p>
      <Line label="Token" text={made.secret} what="the token" rows={1} onCopied={onCopied} />
      <Line
        label="Used like this"
        text={example(location.origin, made)}
        what="the example"
        rows={2}
        primary={false}
        onCopied={onCopied}
      />
      <div class="control">
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
    </div>
  );
}
