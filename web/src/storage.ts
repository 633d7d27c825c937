// This browser's storage, which may be full, switched off or forbidden: then nothing is kept, and everything works.

function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

export interface Kept {
  read: (name: string) => string | null;
  write: (name: string, value: string) => void;
  forget: (name: string) => void;
}

const over = (storage: () => Storage): Kept => ({
  read: (name) => attempt(() => storage().getItem(name)),
  write: (name, value) => {
    attempt(() => storage().setItem(name, value));
  },
  forget: (name) => {
    attempt(() => storage().removeItem(name));
  },
});

/** Kept for good. */
export const lasting = over(() => localStorage);
/** Kept as long as the tab. */
export const passing = over(() => sessionStorage);
