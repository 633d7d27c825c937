// What a chart draws, said without any data.

export interface Part {
  /** Metric path. */
  metric: string;
  /** Drawn below the axis, such as what is sent against what is received. */
  mirrored?: boolean;
  /** Drawn with its area filled. */
  filled?: boolean;
  /** What the legend calls it instead of the catalogue's word. */
  word?: string;
  /** Drawn dashed and pale, as what is only there to compare with. */
  behind?: boolean;
}

export interface ChartSpec {
  id: string;
  title: string;
  /** What the chart shows, for people who hover its title. */
  meaning: string;
  family: string;
  /** Only instances of this name, with or without labels in braces behind it; the labels name the lines then. */
  only?: string;
  /** `stack` adds the parts up; `lines` draws each from the axis. */
  kind: "lines" | "stack";
  /** What one legend line stands for: a part, or an instance with all its parts. */
  legend: "part" | "instance";
  /** At least one. All have one unit. */
  parts: Part[];
  /** Metric drawn as a line over a stack. */
  total?: string;
  /** The axis reaches at least this far, so that an idle chart does not magnify noise. */
  floor: number;
  /** Unit of the values, where the catalogue does not know the metric. */
  unit?: string;
  /** Metric whose latest value is the top of the axis. */
  ceiling?: string;
  /** Metric whose rules' thresholds are drawn. */
  thresholds?: string;
}

/** Every metric that a chart draws. */
export const metricsOf = (spec: ChartSpec): string[] => [
  ...spec.parts.map((part) => part.metric),
  ...(spec.total ? [spec.total] : []),
];

/** Whether a chart draws an instance. */
export const draws = ({ only }: ChartSpec, instance: string): boolean =>
  only === undefined || instance === only || instance.startsWith(`${only}{`);

/** What a chart calls an instance. */
export const instanceName = ({ only }: ChartSpec, instance: string): string =>
  only === undefined || instance === only ? instance : instance.slice(only.length + 1, -1);
