// Generated from schemas/ by `python -m infra.generate.typescript`. Do not edit.

export type HostState = "up" | "late" | "offline" | "archived";

export type Resolution = "raw" | "minute" | "hour";

export type Muted = number | "forever" | null;

export type UpdateState = "current" | "other" | "unknown";

export type Ranking = "avg" | "max" | "p95";

export type AlertState = "ok" | "pending" | "firing" | "recovering" | "nodata" | "suspended";

export type Severity = "warning" | "critical";

export type TransitionKind = "fire" | "escalate" | "deescalate" | "resolve" | "gone";

export type TokenState = "open" | "used" | "expired" | "withdrawn";

export type Role = "viewer" | "operator" | "admin";

export type ViewerState = "connecting" | "live" | "draining" | "closed";

export type Values = Record<string, Record<string, Record<string, number | null>>>;

export interface Metric {
  name: string;
  unit: string;
  resolution: number;
  meaning: string;
  label: string;
}

export interface Family {
  name: string;
  meaning: string;
  period_s: number;
  metrics: Metric[];
  instance: string;
  sampled: "always" | "watched" | "never";
  label: string;
}

export interface HostFacts {
  hostname: string;
  os: string;
  kernel: string;
  architecture: string;
  cpu_model: string;
  cores: number;
  memory: number;
  boot_id: string;
  boot_time: number;
  addresses: string[];
  gpus: string[];
  virtualisation: string;
  agent_version: string;
  sample_interval_s: number;
  batch_interval_s: number;
  tags: string[];
  config_revision: number;
  config_error: string;
}

export interface AlertTransition {
  id: number;
  time: number;
  kind: TransitionKind;
  host: string;
  rule: string;
  rule_name: string;
  metric: string;
  instance: string;
  severity: Severity;
  value: number | null;
  unit: string;
  threshold: number;
  since: number;
  peak: number | null;
  peak_time: number | null;
}

export interface Threshold {
  raise_at: number;
  clear_at: number;
}

export interface Rule {
  id: string;
  name: string;
  metric: string;
  host: string;
  instance: string;
  comparison: "above" | "below";
  warning: Threshold | null;
  critical: Threshold | null;
  for_s: number;
  recover_for_s: number;
  enabled: boolean;
  runbook_url: string;
}

export interface AlertCounts {
  warning: number;
  critical: number;
}

export interface Host {
  id: string;
  state: HostState;
  last_sample: number | null;
  facts: HostFacts;
  alerts: AlertCounts;
  latest: Values;
  labels: Record<string, Record<string, Record<string, string>>>;
  label: string;
  tags: string[];
  proposed_tags: string[];
  muted_until: Muted;
  version: number;
  update: UpdateState;
}

export interface Refusal {
  family: string;
  reason: string;
  rows: number;
  last: number;
}

export interface HostDetail {
  id: string;
  state: HostState;
  last_sample: number | null;
  facts: HostFacts;
  alerts: AlertCounts;
  latest: Values;
  labels: Record<string, Record<string, Record<string, string>>>;
  label: string;
  tags: string[];
  proposed_tags: string[];
  muted_until: Muted;
  version: number;
  update: UpdateState;
  refusals: Refusal[];
  note: string;
}

export interface Hosts {
  hosts: Host[];
  next: string | null;
  matched: number;
}

export interface SeriesColumn {
  metric: string;
  instance: string;
  unit: string;
  avg: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
}

export interface SeriesAnswer {
  host: string;
  from: number;
  to: number;
  resolution: Resolution;
  step_ms: number;
  times: number[];
  series: SeriesColumn[];
}

export interface FleetColumn {
  host: string;
  instance: string;
  rank: number | null;
  avg: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
}

export interface FleetSeriesAnswer {
  metric: string;
  unit: string;
  from: number;
  to: number;
  resolution: Resolution;
  step_ms: number;
  by: Ranking | null;
  considered: number;
  times: number[];
  series: FleetColumn[];
}

export interface Stat {
  metric: string;
  instance: string;
  unit: string;
  count: number;
  min: number | null;
  avg: number | null;
  max: number | null;
  max_time: number | null;
  max_time_resolution: Resolution | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  exact: boolean;
  last: number | null;
}

export interface StatsAnswer {
  host: string;
  from: number;
  to: number;
  resolution: Resolution;
  stats: Stat[];
}

export interface StoredRule {
  rule: Rule;
  version: number;
}

export interface Rules {
  rules: StoredRule[];
}

export interface ActiveAlert {
  rule: string;
  rule_name: string;
  host: string;
  instance: string;
  metric: string;
  state: AlertState;
  severity: Severity;
  value: number | null;
  unit: string;
  threshold: number;
  since: number;
}

export interface Delivery {
  channel: string;
  status: string;
  attempts: number;
  answer: string;
}

export interface PastAlert {
  id: number;
  time: number;
  kind: TransitionKind;
  host: string;
  rule: string;
  rule_name: string;
  metric: string;
  instance: string;
  severity: Severity;
  value: number | null;
  unit: string;
  threshold: number;
  since: number;
  peak: number | null;
  peak_time: number | null;
  delivery: Delivery | null;
}

export interface Alerts {
  active: ActiveAlert[];
  history: PastAlert[];
  next: string | null;
}

export interface Setting {
  key: string;
  value: unknown;
  default: unknown;
  version: number;
  description: string;
  secret: boolean;
  set: boolean;
  invalid: string;
}

export interface Settings {
  settings: Setting[];
}

export interface ChannelTest {
  ok: boolean;
  status: number;
  answer: string;
}

export interface FieldError {
  field: string;
  value: unknown;
  reason: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors: FieldError[];
}

export interface Snapshot {
  time: number;
  hosts: Host[];
  history: Record<string, Record<string, unknown>>;
}

export interface LiveSample {
  host: string;
  time: number;
  families: Values;
}

export interface Frame {
  time: number;
  samples: LiveSample[];
}

export interface Gone {
  host: string;
}

export interface Removal {
  name: string;
  asked: number;
  parts: number;
  done: number;
  rows: number;
}

export interface Removals {
  removals: Removal[];
  next: string | null;
}

export interface HostChange {
  label?: string;
  tags?: string[];
  note?: string;
  muted_until?: number | "forever" | null;
}

export interface NewToken {
  note: string;
  uses: number;
  expires_s: number;
  tags: string[];
  name_pattern: string;
  host: string;
}

export interface EnrolmentToken {
  id: number;
  state: TokenState;
  note: string;
  uses: number;
  used: number;
  made: number;
  expires: number;
  tags: string[];
  name_pattern: string;
  host: string;
  hosts: string[];
}

export interface EnrolmentTokens {
  tokens: EnrolmentToken[];
  next: string | null;
}

export interface MadeToken {
  token: EnrolmentToken;
  secret: string;
  line: string;
  obstacle: string;
}

export interface HostIdentity {
  public_key: string;
  enrolled: number;
  issued: number;
  expires: number;
  revoked: number | null;
  cloned: number | null;
  refused: number;
  suspended: number | null;
}

export interface Login {
  name: string;
  password: string;
  code: string;
}

export interface LinkLogin {
  secret: string;
  password: string;
}

export interface Me {
  name: string;
  role: Role | null;
  by: "session" | "token" | "proxy" | "anonymous" | "nobody";
  session: number | null;
  second_factor: boolean;
  has_password: boolean;
  oidc: string;
}

export interface User {
  id: number;
  name: string;
  role: Role;
  disabled: boolean;
  second_factor: boolean;
  source: "local" | "oidc" | "proxy";
  created: number;
  last_login: number | null;
}

export interface Users {
  users: User[];
}

export interface NewUser {
  name: string;
  role: Role;
}

export interface UserChange {
  role?: Role;
  disabled?: boolean;
}

export interface LoginLink {
  user: User;
  secret: string;
  url: string;
  expires: number;
}

export interface PasswordChange {
  old: string;
  new: string;
}

export interface Session {
  id: number;
  user: string;
  address: string;
  user_agent: string;
  created: number;
  seen: number;
  expires: number;
  this: boolean;
}

export interface Sessions {
  sessions: Session[];
}

export interface NewApiToken {
  note: string;
  role: Role;
  expires_s: number;
}

export interface ApiToken {
  id: number;
  user: string;
  note: string;
  role: Role;
  created: number;
  expires: number | null;
  last_used: number | null;
  last_address: string;
}

export interface ApiTokens {
  tokens: ApiToken[];
}

export interface MadeApiToken {
  token: ApiToken;
  secret: string;
}

export interface SecondFactorOffer {
  secret: string;
  uri: string;
  qr: string;
  size: number;
}

export interface CodeGiven {
  code: string;
}

export interface RecoveryCodes {
  codes: string[];
}

export interface AuditEntry {
  id: number;
  time: number;
  who: string;
  by: "session" | "token" | "proxy" | "anonymous" | "command" | "nobody";
  address: string;
  action: string;
  target: string;
  before: unknown;
  after: unknown;
}

export interface AuditEntries {
  entries: AuditEntry[];
  next: string | null;
}

export interface Watched {
  hosts: number | null;
  tags: string[];
  metrics: number | null;
  interval: number;
  detail: string[];
}

export interface ViewerItem {
  id: string;
  person: string;
  address: string;
  user_agent: string;
  since: number;
  state: ViewerState;
  sent: number;
  dropped: number;
  lag_ms: number;
  selection: Watched;
}

export interface Viewers {
  viewers: ViewerItem[];
}
