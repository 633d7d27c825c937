// Tokens over REST, for one machine each.
import { get, request } from "../api/client.ts";
import type { EnrolmentToken, MadeToken, NewToken } from "../api/types.gen.ts";
import type { Tokens } from "./invitation.ts";

const ONE_MACHINE: Partial<NewToken> = { note: "made in the dashboard", uses: 1, expires_s: 3600 };

export const tokens: Tokens = {
  make: () => request<MadeToken>("POST", "/enrolment-tokens", { body: ONE_MACHINE }),
  read: (id, signal) => get<EnrolmentToken>(`/enrolment-tokens/${id}`, signal),
  withdraw: (id) => {
    request("DELETE", `/enrolment-tokens/${id}`, { keepalive: true }).catch(() => {});
  },
};
