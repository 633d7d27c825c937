// Generated from operations and catalogue by `python -m infra.generate.typescript`. Do not edit.

export type HostState = "up" | "late" | "offline" | "archived";

export type Resolution = "raw" | "minute" | "hour";

export type Muted = number | "forever" | null;

export type UpdateState = "current" | "other" | "unknown";

export type Ranking = "avg" | "max" | "p95";

export type AlertState = "ok" | "pending" | "firing" | "recovering" | "nodata" | "suspended";

export type Severity = "warning" | "critical";

export type TransitionKind = "fire" | "escalate" | "deescalate" | "resolve" | "gone";

export type TokenState = "open" | "used" | "expired" | "withdrawn";

export type HealthStatus = "ok" | "degraded" | "down" | "unknown";

export type Values = Record<string, Record<string, Record<string, number | null>>>;

export type Role = "viewer" | "operator" | "admin";

export type Scope = "hosts" | "history" | "live" | "agents" | "identities" | "alerting" | "settings" | "people" | "health" | "metrics" | "catalogue";

export type Verb = "ping" | "rescan" | "flush" | "status";

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

export interface VirtualMetric {
  path: string;
  unit: string;
  meaning: string;
  about: "host" | "sonde";
  instance: string;
}

export interface Acknowledged {
  by: string;
  at: number;
  level: number;
  until: number | null;
  note: string;
}

export interface Acknowledging {
  until?: number | null;
  note?: string;
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
  incident: number;
  acknowledged: boolean;
  acknowledged_until: number | null;
}

export interface AgentConfig {
  revision?: number;
  sample_interval_s?: number | null;
  batch_interval_s?: number | null;
  directories?: string[] | null;
  families?: Record<string, FamilyConfig>;
}

export interface AgentConfigAnswer {
  config: AgentConfig;
  version: number;
  effective: AgentConfig;
  in_force: number | null;
  error: string;
}

export interface AlertCounts {
  warning: number;
  critical: number;
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
  incident: number;
  past: boolean;
  flapping: boolean;
  tags: string[];
}

export interface Alerts {
  active: ActiveAlert[];
  history: PastAlert[];
  next: string | null;
}

export interface Also {
  metric: string;
  comparison: "above" | "below";
  value: number;
}

export interface ApiToken {
  id: number;
  user: string;
  note: string;
  role: Role;
  scopes: string[];
  created: number;
  expires: number | null;
  last_used: number | null;
  last_address: string;
}

export interface ApiTokens {
  tokens: ApiToken[];
}

export interface Apprise {
  kind: "apprise";
  url: string;
}

export interface AuditEntries {
  entries: AuditEntry[];
  next: string | null;
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

export interface Bulk {
  change: "tag" | "mute" | "unmute" | "archive" | "remove" | "command";
  hosts?: string[];
  filter?: HostFilter;
  add_tags?: string[];
  remove_tags?: string[];
  mute_s?: number | "forever";
  command?: Verb;
  arguments?: Record<string, unknown>;
  dry_run?: boolean;
}

export interface BulkIncidents {
  change: "acknowledge" | "unacknowledge" | "note";
  incidents: number[];
  until?: number | null;
  note?: string;
}

export interface BulkResult {
  host: string;
  done: boolean;
  error: string;
  reply: unknown;
}

export interface BulkResults {
  results: BulkResult[];
  done: number;
  failed: number;
}

export interface Catalogue {
  families: FamilyItem[];
}

export interface Challenge {
  challenge: string;
}

export interface Channel {
  id: string;
  name: string;
  target: Slack | SlackBot | Webhook | Email | Apprise;
  enabled: boolean;
  fallback: string;
  owner: string;
}

export interface ChannelState {
  held_since: number | null;
  held_reason: string;
  failures: number;
  next_try: number | null;
  last_status: "sending" | "sent" | "failed" | "refused" | "dead" | "unknown" | null;
  last_answer: string;
  last_sent: number | null;
}

export interface Channels {
  channels: StoredChannel[];
  unreadable: UnreadableItem[];
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface CodeGiven {
  code: string;
}

export interface CommandReply {
  id: string;
  ok: boolean;
  result: unknown;
  error: string;
}

export interface Complete {
  time: number;
}

export interface Component {
  name: string;
  status: HealthStatus;
  detail: string;
  instances: Instance[];
}

export interface DayUse {
  day: string;
  rows: number;
  bytes: number;
  columnar_bytes: number;
  uncompressed_bytes: number | null;
}

export interface Delay {
  median: number;
  p99: number;
}

export interface Delivery {
  channel: string;
  status: string;
  attempts: number;
  answer: string;
}

export interface Difference {
  kind: "setting" | "rule" | "route" | "channel" | "agent" | "host";
  name: string;
  what: "created" | "changed" | "unchanged" | "deleted" | "skipped";
  before: unknown;
  after: unknown;
  reason: string;
}

export interface Differences {
  applied: boolean;
  differences: Difference[];
  unchanged: number;
}

export interface Disk {
  what: string;
  free_bytes: number;
  size_bytes: number;
}

export interface Email {
  kind: "email";
  server: string;
  sender: string;
  recipients: string[];
  port: number;
  security: "starttls" | "tls" | "none";
  user: string;
  password: string;
}

export interface EnrolRequest {
  token: string;
  public_key: string;
  name?: string;
}

export interface Enrolment {
  host: string;
  jwt: string;
  issued: number;
  expires: number;
  bus: string[];
  ca: string;
  page: string;
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

export interface Episode {
  host: string;
  instance: string;
  severity: Severity;
  fired: number;
  ended: number | null;
  ending: "resolve" | "gone" | null;
  duration_s: number;
  value: number | null;
  threshold: number;
  peak: number | null;
  peak_time: number | null;
  resolution: "raw" | "minute";
}

export interface Escalation {
  after_s: number;
  channels: string[];
  critical_only: boolean;
}

export interface FamilyConfig {
  enabled?: boolean | null;
  interval_s?: number | null;
  include?: string[] | null;
  exclude?: string[] | null;
}

export interface FamilyItem {
  name: string;
  label: string;
  meaning: string;
  period_s: number;
  instance: string;
  sampled: string;
  metrics: MetricItem[];
}

export interface FieldError {
  field: string;
  value: unknown;
  reason: string;
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

export interface Frame {
  time: number;
  samples: LiveSample[];
}

export interface Gap {
  from: number;
  to: number;
  reasons: GapReason[];
}

export interface GapReason {
  kind: "first" | "retention" | "reboot" | "away" | "update" | "settings" | "order" | "dropped" | "pending" | "refused" | "archived" | "silent" | "unwatched" | "unknown";
  text: string;
  time: number | null;
  end: number | null;
}

export interface Gaps {
  host: string;
  family: string;
  from: number;
  to: number;
  step_ms: number;
  gaps: Gap[];
  more: boolean;
}

export interface Gone {
  host: string;
}

export interface Group {
  tag: string;
  hosts: number;
  up: number;
  late: number;
  offline: number;
  archived: number;
  muted: number;
  alerts: AlertCounts;
}

export interface Groups {
  groups: Group[];
}

export interface Health {
  status: HealthStatus;
  version: string;
  time: number;
  components: Component[];
  streams: StreamFill[];
}

export interface Heartbeat {
  service: string;
  instance: string;
  host: string;
  pid: number;
  version: string;
  time: number;
  started: number;
  uptime_s: number;
  standby: boolean;
  errors: number;
  errors_last_minute: number;
  last_error: string;
  last_success: number | null;
  rss_bytes: number;
  work: Work;
  ended: boolean;
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

export interface HostChange {
  label?: string;
  tags?: string[];
  note?: string;
  muted_until?: number | "forever" | null;
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
  time_zone: string;
}

export interface HostFilter {
  q?: string;
  state?: HostState[];
  tags?: string[];
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

export interface Hosts {
  hosts: Host[];
  next: string | null;
  matched: number;
}

export interface Hours {
  spans: Span[];
  kind: "working" | "quiet";
  zone: string;
  critical_passes: boolean;
}

export interface IdentityState {
  host: string;
  last_sample: number | null;
  page: string;
}

export interface Incident {
  id: number;
  rule: string;
  rule_name: string;
  host: string;
  label: string;
  instance: string;
  metric: string;
  unit: string;
  state: "open" | "closed";
  severity: Severity;
  worst: Severity;
  value: number | null;
  threshold: number;
  since: number;
  opened: number;
  closed: number | null;
  changed: number;
  peak: number | null;
  peak_time: number | null;
  ending: "resolve" | "gone" | null;
  tags: string[];
  past: boolean;
  flapping: boolean;
  acknowledged: Acknowledged | null;
  told: string[];
  version: number;
  invalid: string;
}

export interface IncidentDetail {
  incident: Incident;
  rule: Rule | null;
  steps: Step[];
  told: ToldChannel[];
  notifications: Notification[];
}

export interface IncidentResult {
  incident: number;
  done: boolean;
  error: string;
}

export interface IncidentResults {
  results: IncidentResult[];
  done: number;
  failed: number;
}

export interface Incidents {
  incidents: Incident[];
  next: string | null;
}

export interface Instance {
  status: HealthStatus;
  silent_s: number;
  heartbeat: Heartbeat;
}

export interface Kept {
  raw_days: number;
  minute_days: number;
  hour_days: number;
}

export interface LinkLogin {
  secret: string;
  password: string;
}

export interface LiveSample {
  host: string;
  time: number;
  families: Values;
}

export interface Liveness {
  status: string;
}

export interface Login {
  name: string;
  password: string;
  code?: string;
}

export interface LoginLink {
  user: User;
  secret: string;
  url: string;
  expires: number;
}

export interface MadeApiToken {
  token: ApiToken;
  secret: string;
}

export interface MadeHost {
  host: HostDetail;
  token: EnrolmentToken;
  secret: string;
  line: string;
  obstacle: string;
}

export interface MadeToken {
  token: EnrolmentToken;
  secret: string;
  line: string;
  obstacle: string;
}

export interface Mark {
  host: string;
  time: number;
  end: number | null;
  kind: "alert" | "reboot" | "update" | "settings" | "refused" | "away" | "change" | "order" | "mute" | "silence";
  level: "info" | "warning" | "critical";
  title: string;
  detail: string;
  ref: string;
}

export interface Marks {
  marks: Mark[];
  more: boolean;
}

export interface Matcher {
  hosts: string[];
  tags: string[];
  without_tags: string[];
  rules: string[];
  instances: string[];
  severity: "any" | "warning" | "critical";
  about: "all" | "hosts" | "sonde";
}

export interface Me {
  name: string;
  role: Role | null;
  by: "session" | "token" | "proxy" | "anonymous" | "nobody";
  session: number | null;
  second_factor: boolean;
  has_password: boolean;
  oidc: string;
  demonstration: boolean;
}

export interface MetricItem {
  code: number;
  name: string;
  label: string;
  path: string;
  unit: string;
  resolution: number;
  meaning: string;
}

export interface NewAgentConfig {
  revision?: number;
  sample_interval_s?: number | null;
  batch_interval_s?: number | null;
  directories?: string[] | null;
  families?: Record<string, NewFamilyConfig>;
}

export interface NewApiToken {
  note: string;
  role?: Role;
  expires_s?: number;
  scopes?: Scope[];
}

export interface NewCommand {
  arguments?: Record<string, unknown>;
  timeout_s?: number;
}

export interface NewFamilyConfig {
  enabled?: boolean | null;
  interval_s?: number | null;
  include?: string[] | null;
  exclude?: string[] | null;
}

export interface NewHost {
  name: string;
  label?: string;
  tags?: string[];
  expires_s?: number;
}

export interface NewNote {
  text: string;
}

export interface NewRehearsal {
  rule: Rule;
  days?: number;
}

export interface NewSilence {
  match: Matcher;
  ends?: number | null;
  for_s?: number | null;
  starts?: number | null;
  reason?: string;
}

export interface NewToken {
  note?: string;
  uses?: number;
  expires_s?: number;
  tags?: string[];
  name_pattern?: string;
  host?: string;
}

export interface NewUser {
  name: string;
  role?: Role;
}

export interface NewValue {
  value: unknown;
}

export interface NewView {
  name: string;
  path: string;
}

export interface Notification {
  id: number;
  channel: string;
  route: string;
  form: string;
  status: "sending" | "sent" | "failed" | "refused" | "dead" | "unknown";
  attempts: number;
  answer: string;
  made: number;
  done: number | null;
  delay_s: number | null;
  incidents: number;
}

export interface Notifications {
  notifications: Notification[];
  next: string | null;
}

export interface Outcome {
  start: number;
  end: number;
  exact_from: number;
  unit: string;
  fired: number;
  critical: number;
  hosts_fired: number;
  hosts: number;
  hosts_played: number;
  series: number;
  complete: boolean;
  episodes: Episode[];
  samples_read: number;
  took_s: number;
}

export interface Outward {
  last_success: number | null;
  failing: string;
}

export interface Override {
  hosts: string[];
  tags: string[];
  warning: Threshold | null;
  critical: Threshold | null;
  for_s: number | null;
  recover_for_s: number | null;
  enabled: boolean | null;
}

export interface PartUse {
  family: string;
  kind: Resolution;
  day: string;
  days: number;
  rows: number;
  bytes: number;
  columnar: boolean;
}

export interface PasswordChange {
  old: string;
  new: string;
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
  incident: number;
  past: boolean;
  flapping: boolean;
  tags: string[];
  deliveries: Delivery[];
}

export interface Preferences {
  start?: string;
  zone?: string;
  units?: "binary" | "decimal";
  theme?: "system" | "light" | "dark";
  contrast?: "system" | "more";
  density?: "comfortable" | "compact";
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors: FieldError[];
}

export interface ProcessUse {
  pid: number;
  name: string;
  cpu: number;
  memory: number;
}

export interface Processes {
  host: string;
  time: number;
  cpu: ProcessUse[];
  memory: ProcessUse[];
}

export interface Proof {
  public_key: string;
  challenge: string;
  signature: string;
}

export interface Readiness {
  status: string;
  checks?: Check[];
}

export interface Reason {
  about: "rule" | "selectors" | "silence" | "route" | "delivery" | "people";
  text: string;
  at: number | null;
  channel: string;
  stops: boolean;
}

export interface RecoveryCodes {
  codes: string[];
}

export interface Refusal {
  family: string;
  reason: string;
  rows: number;
  last: number;
}

export interface Refused {
  name: string;
  what: string;
  reason: string;
  times: number;
  last: number;
}

export interface RefusedList {
  refused: Refused[];
  next: string | null;
}

export interface Rehearsal {
  id: string;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  reason: string;
  outcome: Outcome | null;
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

export interface Route {
  id: string;
  name: string;
  channels: string[];
  position: number;
  match: Matcher;
  further: boolean;
  group_by: "host" | "rule" | "host and rule" | "all";
  group_wait_s: number;
  group_interval_s: number;
  repeat_s: number;
  send_resolved: boolean;
  storm_hosts: number;
  tell_past: boolean;
  hours: Hours | null;
  escalation: Escalation | null;
  enabled: boolean;
  owner: string;
}

export interface RouteCheck {
  steps: RouteStep[];
  taken: string[];
  channels: string[];
}

export interface RouteOrder {
  routes: string[];
}

export interface RouteQuestion {
  rule: string;
  host?: string | null;
  tags?: string[] | null;
  instance?: string;
  severity?: Severity;
}

export interface RouteStep {
  route: string;
  fits: boolean;
  why: string;
}

export interface Routes {
  routes: StoredRoute[];
  unreadable: UnreadableItem[];
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
  tags: string[];
  without_tags: string[];
  not_instances: string[];
  window: Window;
  also: Also | null;
  no_data: "keep" | "alert" | "ok";
  no_data_s: number;
  overrides: Override[];
  owner: string;
}

export interface RuleCheck {
  ok: boolean;
  errors: FieldError[];
}

export interface Rules {
  rules: StoredRule[];
  unreadable: UnreadableRule[];
  not_judged: UnreadableRule[];
}

export interface SavedView {
  id: number;
  name: string;
  path: string;
  version: number;
}

export interface SavedViews {
  views: SavedView[];
}

export interface SecondFactorOffer {
  secret: string;
  uri: string;
  qr: string;
  size: number;
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

export interface SeriesColumn {
  metric: string;
  instance: string;
  unit: string;
  avg: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
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

export interface SettingChanged {
  key: string;
  version: number;
}

export interface Settings {
  settings: Setting[];
}

export interface SilencePreview {
  match: Matcher;
}

export interface Silenced {
  incidents: Incident[];
  incident_count: number;
  hosts: string[];
  host_count: number;
}

export interface Silences {
  silences: StoredSilence[];
  next: string | null;
}

export interface Slack {
  kind: "slack";
  url: string;
}

export interface SlackBot {
  kind: "slack-bot";
  room: string;
  token: string;
  api_url: string;
}

export interface Snapshot {
  time: number;
  hosts: Host[];
  history: Record<string, Record<string, unknown>>;
}

export interface Span {
  days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
  start: string;
  until: string;
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

export interface Step {
  at: number;
  kind: "fired" | "escalated" | "deescalated" | "resolved" | "gone" | "held" | "released" | "routed" | "sent" | "failed" | "dropped" | "acknowledged" | "unacknowledged" | "noted";
  text: string;
  channel: string;
  by: string;
}

export interface StorageReport {
  time: number | null;
  use: StorageUse | null;
}

export interface StorageUse {
  engine: string;
  kept: Kept;
  tables: TableUse[];
  days: DayUse[];
  parts: PartUse[];
  database_bytes: number;
  need_bytes: number | null;
  need_without: Resolution[];
  free_bytes: number | null;
  disk_bytes: number | null;
  strays: Stray[];
}

export interface StoredChannel {
  channel: Channel;
  version: number;
  secrets: string[];
  state: ChannelState;
}

export interface StoredFamilies {
  host: string;
  from: number;
  to: number;
  families: string[];
}

export interface StoredPreferences {
  start: string;
  zone: string;
  units: "binary" | "decimal";
  theme: "system" | "light" | "dark";
  contrast: "system" | "more";
  density: "comfortable" | "compact";
  version: number;
}

export interface StoredRoute {
  route: Route;
  version: number;
}

export interface StoredRule {
  rule: Rule;
  version: number;
}

export interface StoredSilence {
  id: number;
  match: Matcher;
  starts: number;
  ends: number;
  reason: string;
  by: string;
  state: "active" | "pending" | "expired";
  version: number;
  invalid: string;
}

export interface Stray {
  family: string;
  tables: string[];
  bytes: number;
  remedy: string;
}

export interface StreamFill {
  name: string;
  messages: number;
  bytes: number;
  most_bytes: number;
}

export interface TableUse {
  family: string;
  kind: Resolution;
  rows: number;
  bytes: number;
  columnar_bytes: number;
  uncompressed_bytes: number | null;
  values: number;
  bytes_per_value: number | null;
  rows_per_day: number | null;
  bytes_per_day: number | null;
  need_bytes: number | null;
}

export interface Threshold {
  raise_at: number;
  clear_at: number;
}

export interface ToldChannel {
  channel: string;
  level: number;
  at: number;
  since: number;
  times: number;
}

export interface TrialAnswer {
  ok: boolean;
  verdict: "sent" | "again" | "refused" | "dead" | "unknown";
  answer: string;
  ms: number;
}

export interface UnreadableItem {
  id: string;
  version: number;
  reason: string;
}

export interface UnreadableRule {
  id: string;
  version: number;
  reason: string;
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

export interface UserChange {
  role?: Role;
  disabled?: boolean;
}

export interface Users {
  users: User[];
}

export interface ViewOrder {
  views: number[];
}

export interface ViewerItem {
  id: string;
  person: string;
  address: string;
  user_agent: string;
  since: number;
  state: "connecting" | "live" | "draining" | "closed";
  sent: number;
  dropped: number;
  lag_ms: number;
  selection: Watched;
}

export interface Viewers {
  viewers: ViewerItem[];
}

export interface Watched {
  hosts: number | null;
  tags: string[];
  metrics: number | null;
  interval: number;
  detail: string[];
}

export interface Watching {
  viewers: number;
}

export interface Webhook {
  kind: "webhook";
  url: string;
  key: string;
}

export interface Why {
  incident: number;
  conclusion: string;
  told: string[];
  reasons: Reason[];
}

export interface Window {
  function: "last" | "avg" | "min" | "max" | "p95" | "rate" | "increase" | "time_left";
  seconds: number;
  limit: number | null;
}

export interface Work {
  lag_s: number | null;
  behind: Record<string, number>;
  last_run: number | null;
  viewers: number | null;
  disk: Disk | null;
  told_s: Delay | null;
  outward: Outward | null;
}
