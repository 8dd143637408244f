// The server's API, shaped as internal/web/api writes it.

export interface Hub {
  name: string;
  topic: string;
  partitions: number;
  devices: number;
  connected: number;
  accepted: number;
  rejected: number;
  per_second: number;
  records: number;
  problem?: string;
}

export interface Status {
  version: string;
  project: string;
  target: string;
  started: string;
  addresses: Record<string, string>;
  hub: Hub;
  memory_bytes: number;
}

export interface Expectation {
  name: string;
  text: string;
  action: "WARN" | "DROP" | "QUARANTINE" | "FAIL";
  passed: number;
  failed: number;
}

export interface Node {
  id: string;
  name: string;
  kind: "LOG" | "FILES" | "TABLE" | "STREAMING_TABLE" | "MATERIALIZED_VIEW" | "VIEW";
  state: "RUNNING" | "WAITING" | "IDLE" | "FAILED";
  error?: string;
  rows_in: number;
  rows_out: number;
  rows_dropped: number;
  rows_quarantined: number;
  per_second: number;
  backlog: number;
  lag_seconds: number;
  version: number;
  batch: number;
  batch_seconds: number;
  last_commit: string;
  comment?: string;
  expectations?: Expectation[];
}

export interface Edge {
  from: string;
  to: string;
}

export interface Pipeline {
  key: string;
  name: string;
  state: string;
  error?: string;
  nodes: Node[];
  edges: Edge[];
}

export interface Live {
  time: string;
  status: Status;
  pipelines: Pipeline[];
}

export interface Column {
  name: string;
  type: string;
}

export interface ApiError {
  code: string;
  message: string;
  line?: number;
  col?: number;
  hint?: string;
}

export interface Result {
  columns: Column[];
  rows: (string | null)[][];
  seconds: number;
  truncated: boolean;
}

/** Thrown for every error answer of the server. */
export class ServerError extends Error {
  constructor(
    readonly status: number,
    readonly detail: ApiError,
  ) {
    super(detail.message);
  }
}

async function failure(res: Response): Promise<ServerError> {
  const text = await res.text();
  try {
    return new ServerError(res.status, (JSON.parse(text) as { error: ApiError }).error);
  } catch {
    return new ServerError(res.status, { code: `HTTP_${res.status}`, message: text || res.statusText });
  }
}

/** Trades a token for the cookie that the page is let in with. */
export async function login(token: string): Promise<void> {
  const res = await fetch("/login", { method: "POST", body: JSON.stringify({ token }) });
  if (!res.ok) throw await failure(res);
}

/** Tells whether the page may speak to the server. */
export async function allowed(): Promise<boolean> {
  const res = await fetch("/api/v1/status");
  if (res.status === 401) return false;
  if (!res.ok) throw await failure(res);
  return true;
}

/** All statements of one page belong to one session: SET, variables and
 * temporary views last until it is loaded anew. */
const session = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/** Runs a statement; at most `limit` rows come back. */
export async function sql(statement: string, at: { catalog?: string; schema?: string }, limit: number, signal: AbortSignal): Promise<Result> {
  const res = await fetch("/api/v1/sql", { method: "POST", body: JSON.stringify({ statement, limit, session, ...at }), signal });
  if (!res.ok) throw await failure(res);
  const out: Result = { columns: [], rows: [], seconds: 0, truncated: false };
  for (const line of (await res.text()).split("\n")) {
    if (!line) continue;
    const l = JSON.parse(line) as {
      columns?: Column[];
      rows?: (string | null)[][];
      done?: { seconds: number; truncated?: boolean };
      error?: ApiError;
    };
    if (l.error) throw new ServerError(200, l.error);
    if (l.columns) out.columns = l.columns;
    if (l.rows) out.rows.push(...l.rows);
    if (l.done) {
      out.seconds = l.done.seconds;
      out.truncated = l.done.truncated ?? false;
    }
  }
  return out;
}

/** Opens the stream of live states; the browser connects again by itself. */
export function live(each: (l: Live) => void, broken: () => void): () => void {
  const es = new EventSource("/api/v1/live");
  es.onmessage = (m) => each(JSON.parse(m.data as string) as Live);
  es.onerror = broken;
  return () => es.close();
}
