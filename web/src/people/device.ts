// What somebody uses, in two words, from what their browser or program says of itself. Pure.

/** The first that fits: browsers name those whose pages they want to be served. */
const PROGRAMS: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\/([\d]+)/, "Edge"],
  [/OPR\/([\d]+)/, "Opera"],
  [/SamsungBrowser\/([\d]+)/, "Samsung Internet"],
  [/(?:Firefox|FxiOS)\/([\d]+)/, "Firefox"],
  [/HeadlessChrome\/([\d]+)/, "Headless Chrome"],
  [/(?:Chrome|CriOS)\/([\d]+)/, "Chrome"],
  [/Version\/([\d]+).*Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad|iPod/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|X11/, "Linux"],
];

/** `Firefox 128 on Linux`, `curl/8.5.0`, `unknown program`. */
export function deviceOf(userAgent: string): string {
  for (const [pattern, name] of PROGRAMS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version === undefined) continue;
    const system = SYSTEMS.find(([fits]) => fits.test(userAgent))?.[1];
    return `${name} ${version}${system ? ` on ${system}` : ""}`;
  }
  return userAgent.split(" ")[0]?.slice(0, 60) || "unknown program";
}
