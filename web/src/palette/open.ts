// Which of the dialogs that every page has is open: the palette of commands, the list of keys, saved views, or the end of the
// session.
import { signal } from "@preact/signals";

export const overlay = signal<"palette" | "keys" | "views" | "leaving" | null>(null);
