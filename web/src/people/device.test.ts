import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceOf } from "./device.ts";

const APPLE = "AppleWebKit/537.36 (KHTML, like Gecko)";

test("a browser is called by its own name, not by those it pretends to be", () => {
  for (const [userAgent, words] of [
    ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128 on Linux"],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${APPLE} Chrome/126.0.0.0 Safari/537.36`, "Chrome 126 on Windows"],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${APPLE} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`,
      "Edge 126 on Windows",
    ],
    [
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML) Version/17.5 Safari/605.1.15",
      "Safari 17 on macOS",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 (KHTML) Version/17.5 Mobile Safari/604",
      "Safari 17 on iOS",
    ],
    [
      `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${APPLE} Chrome/126.0.0.0 Mobile Safari/537.36`,
      "Chrome 126 on Android",
    ],
  ] as const)
    assert.equal(deviceOf(userAgent), words);
});

test("a program is called what it says first", () => {
  assert.equal(deviceOf("curl/8.5.0"), "curl/8.5.0");
  assert.equal(deviceOf("python-httpx/0.27 (test)"), "python-httpx/0.27");
  assert.equal(deviceOf(""), "unknown program");
});
