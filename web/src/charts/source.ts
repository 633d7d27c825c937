// What a chart draws from, and what it stands in. Types only: pages say what is behind them.
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Loading } from "../api/loading.ts";
import type { SeriesAnswer } from "../api/types.gen.ts";
import type { RowStat } from "./legend_rows.ts";
import type { ChartMark } from "./marks.ts";
import type { Stretch } from "./stretches.ts";
import type { Rings } from "./timeline.ts";
import type { Window } from "./window.ts";

/** Stored lines. Where an answer tells of several hosts, a page makes instances of them. */
export type Answered = Omit<SeriesAnswer, "host">;

/** An answer, and what it tells of: nothing beyond the moment it was asked for, whatever the range was. */
export interface Stored {
  answer: Answered;
  known: Stretch;
}

export interface Source {
  stored: ReadonlySignal<Loading<Stored>>;
  /** Milliseconds between two samples. */
  period_ms: number;
  /** Live samples to go on with; reading it subscribes to them. None: only what is stored is drawn. */
  live?: () => Rings;
  /** The stretch of which the live stream told; null before it first was there. */
  streamed?: ReadonlySignal<Stretch | null>;
  /** Asks for the stored part again after a failure. */
  retry: () => void;
  /** Statistics over the range, exact where the store can be. */
  stats?: ReadonlySignal<Loading<readonly RowStat[]>>;
  /** Called when statistics are to be shown; what it returns, when they are not any more. */
  watchStats?: () => () => void;
  /** Called when the chart comes onto the screen; what it returns, when it has left. */
  watch?: () => () => void;
}

/** The range that charts show, and what changes it. */
export interface ChartView {
  window: ReadonlySignal<Window>;
  /** Where a live window ends, Unix milliseconds. */
  edge: ReadonlySignal<number>;
  /** A stretch was dragged over, in either direction. */
  zoomIn: (a: number, b: number) => void;
  zoomOut: () => void;
  /** Shows exactly from one time to another: a finger moved or stretched it. */
  show: (from: number, to: number) => void;
}

/** Where the pointer is, for all charts of a page. */
export interface Pointed {
  time: number;
  /** Id of the chart it is over. */
  chart: string;
}

/** Values at which dashed lines are drawn. */
export interface Limits {
  warning: number | null;
  critical: number | null;
}

export type PointedSignal = Signal<Pointed | null>;

/** Why there is nothing in the gaps of a chart. */
export interface Reasons {
  known: ReadonlySignal<readonly ChartMark[]>;
  /** Asks for them, unless they are known for this range: a gap is seen. */
  want: () => void;
}

/** The lowest and the highest of some values. */
export interface Extent {
  low: number;
  high: number;
}
