// Which of the dialogs that every page has is open: the palette of commands, the list of keys, or saved views.
import { signal } from "@preact/signals";

export const overlay = signal<"palette" | "keys" | "views" | null>(null);
