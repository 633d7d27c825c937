// What tests of this folder are made from.

import type { EnrolmentToken } from "../api/types.gen.ts";

/** A token that nobody has used, but for `change`. */
export const token = (change: Partial<EnrolmentToken>): EnrolmentToken => ({
  id: 1,
  state: "open",
  note: "",
  uses: 1,
  used: 0,
  made: 0,
  expires: 3_600_000,
  tags: [],
  name_pattern: "",
  host: "",
  hosts: [],
  ...change,
});
