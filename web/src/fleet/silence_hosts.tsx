// A silence for the selected hosts, in the dialog that all silences are written in: it says beforehand what it fits.
import { ALL } from "../alerts/matching.ts";
import { SilenceEditor } from "../alerts/silence_editor.tsx";
import "../style/forms.css";
import "../style/telling.css";

export function SilenceHosts({ ids, onClosed }: { ids: readonly string[]; onClosed: () => void }) {
  return <SilenceEditor from={{ ...ALL, about: "hosts", hosts: [...ids] }} onClosed={onClosed} />;
}
