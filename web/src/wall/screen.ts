// What a screen that nobody touches needs of its browser: it does not fall asleep, its pointer goes away, and the page is
// loaded anew when it is broken, when the gateway was upgraded, or when it has been there for long.
import { upgraded } from "../shell/banner.tsx";

/** The pointer goes away after so long. */
const POINTER_MS = 3000;
/** How often it is looked whether the page is broken. */
const LOOK_MS = 30_000;
/** A page that nobody closes is loaded anew now and then: it may be of an older version than its gateway. */
const ANEW_MS = 6 * 3_600_000;

/** Keeps the screen on, as far as the browser lets pages do that, and hides the pointer; until the answer is called. */
export function stayAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let over = false;
  const ask = async () => {
    if (document.hidden || over) return;
    // Not over plain HTTP, and not on low battery: then the screen is its owner's to keep on.
    lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    if (over) void lock?.release();
  };
  // The browser takes it back whenever the page is hidden.
  document.addEventListener("visibilitychange", ask);
  void ask();

  const { classList } = document.documentElement;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moved = () => {
    classList.remove("no-pointer");
    clearTimeout(timer);
    timer = setTimeout(() => classList.add("no-pointer"), POINTER_MS);
  };
  addEventListener("pointermove", moved);
  moved();
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", ask);
    removeEventListener("pointermove", moved);
    clearTimeout(timer);
    classList.remove("no-pointer");
    void lock?.release();
  };
}

/** Whether a page answers there would be: loading anew while the gateway is away would leave nothing on the screen. */
async function answers(): Promise<boolean> {
  try {
    return (await fetch("/health/live", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** Loads the page anew when a part of it could not be loaded or shown, when it is out of date, and every so often; until the answer is called. */
export function reloadWhenNeeded(): () => void {
  const began = Date.now();
  const timer = setInterval(async () => {
    const broken = document.querySelector("main > .failed") !== null;
    if ((broken || upgraded.peek() || Date.now() - began > ANEW_MS) && (await answers())) location.reload();
  }, LOOK_MS);
  return () => clearInterval(timer);
}
