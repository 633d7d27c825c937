// Whether the strip of a demonstration is shown: only the gateway knows.
import { me } from "../login/me.ts";
import { Strip } from "./strip.tsx";

export const Demonstration = () => (me.value?.demonstration ? <Strip /> : null);
