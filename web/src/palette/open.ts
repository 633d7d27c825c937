// Which of the dialogs that every page has is open: the palette of commands, or the list of keys.
import { signal } from "@preact/signals";

export const overlay = signal<"palette" | "keys" | null>(null);
