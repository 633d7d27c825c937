// A one-time link, shown once to whoever made it, to be handed to its user.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LoginLink } from "../api/types.gen.ts";
import { duration } from "../format.ts";
import { now } from "../live/session.ts";
import { Line } from "../shell/line.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";

export function LinkShown({ link: { user, url, expires }, onDone }: { link: LoginLink; onDone: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const copied = useSignal(false);
  useUnsaved(`the link for ${user.name}, which is not shown again`, !copied.value);
  useEffect(() => {
    box.current?.scrollIntoView({ block: "nearest" });
    box.current?.querySelector<HTMLElement>("[data-next]")?.focus();
  }, []);
  const left = useComputed(() => duration(Math.max(0, Math.round((expires - now.value) / 60_000) * 60)));
  return (
    <div class="panel handed" ref={box}>
      <p>
        <b>Hand this link to {user.name}.</b> Whoever opens it sets the password of {user.name} and is logged in. It
        works once, for {left}, and is not shown again.
      </p>
      <Line
        label={`One-time link for ${user.name}`}
        text={url}
        what="the link"
        rows={2}
        onCopied={() => {
          copied.value = true;
        }}
      >
        <button type="button" onClick={onDone}>
          Done
        </button>
      </Line>
    </div>
  );
}
