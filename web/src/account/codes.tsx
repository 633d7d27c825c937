// Recovery codes, shown once: to be copied, kept as a file, or written down.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { Line } from "../shell/line.tsx";
import { useUnsaved } from "../shell/unsaved.tsx";

interface CodesProps {
  codes: readonly string[];
  onDone: () => void;
}

export function Codes({ codes, onDone }: CodesProps) {
  const kept = useSignal(false);
  const keep = () => {
    kept.value = true;
  };
  useUnsaved("the recovery codes, which are not shown again", !kept.value);
  const text = codes.join("\n");
  const file = useMemo(() => URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" })), [text]);
  useEffect(() => () => URL.revokeObjectURL(file), [file]);
  return (
    <>
      <p>
        <b>Keep these recovery codes.</b> Each is good for one login without the authenticator. They are not shown
        again.
      </p>
      <Line label="Recovery codes" text={text} what="the recovery codes" rows={codes.length} onCopied={keep}>
        <a class="button" href={file} download="sonde-recovery-codes.txt" onClick={keep}>
          Download
        </a>
        <button type="button" onClick={onDone}>
          I have kept them
        </button>
      </Line>
    </>
  );
}
