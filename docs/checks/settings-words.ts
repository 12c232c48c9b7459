/** What each setting does, for the page of settings. A setting without a line here fails the test of that page. */
export const settingWords: Record<string, string> = {
  host: 'The address to listen on. On loopback without keys the server is open to this machine; on any other address it wants a key.',
  port: 'The port. 0 takes a free one.',
  data: 'The directory of the embedded database and of `admin.key`. One process holds it at a time.',
  database_url: '`postgresql://…` selects Postgres; `null` is the embedded SQLite.',
  pool_size: 'Connections to Postgres, at most; at least 2 there.',
  public_url:
    'Under which URL people reach the server. Sign-in links use it, its host name counts as the server’s own, and with `https:` cookies are marked `Secure`.',
  allowed_hosts:
    'Host names that count as this server beside loopback and `public_url`; `*.example.com` stands for all below. Only an open loopback server checks them.',
  trusted_proxies: 'Addresses or CIDR ranges whose `X-Forwarded-*` headers count.',
  cors_origins: 'Origins whose pages may read answers. Never with cookies.',
  webhook_secrets:
    'Secrets that webhooks may be signed with, at least 8 characters each. In the file: `[{"secret": "…", "expires_at": "2030-01-01T00:00:00Z"}]`; in the environment: `SECRET`, or `SECRET@2030-01-01T00:00:00Z`, several parted by commas.',
  admin_key: 'An admin key made outside, at least 24 characters. With one, the server wants a key on loopback too.',
  'rate_limits.traces_per_minute':
    'Traces per key and minute. A caller without a key gets a tenth, by address. 0 is no limit.',
  'rate_limits.reads_per_minute': 'Requests that do not send traces, likewise.',
  'rate_limits.streams_per_minute': 'Streams opened, likewise.',
  retention_days:
    'Traces older than this are deleted, and results of evaluations that stand on no trace; `null` (in the environment `none`) keeps them.',
  event_retention_days: 'Days that the journal keeps events, and streams can be resumed over.',
  log_level: '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`.',
  synchronous:
    '`full` loses nothing that was acknowledged; `normal` may lose the last commits when the machine loses power, and is faster.',
  heartbeat_seconds: 'Seconds between two heartbeats of a stream. Keep it below the idle timeout of every proxy.',
  providers:
    'Whose models judges ask, by name: `{"local": {"api": "openai", "base_url": "http://localhost:11434/v1"}}`. `api` is `openai` (and all that speak like it), `anthropic` or `gemini`; `api_key` where one is wanted; `models` to allow only these. In the environment as JSON. `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `ANTHROPIC_API_KEY` and `GEMINI_API_KEY` give `openai`, `anthropic` and `gemini`.',
  default_model:
    'The model of judges that name none, as `provider/model`; `null` is a cheap one of the first provider.',
  embedding_model: 'The model of semantic similarity, likewise.',
  prices:
    'Prices of your own, in US dollars for a million tokens: `{"local/*": {"input": 0, "output": 0}}`. What is not here is looked up in a list; what is nowhere is unknown, and never 0. In the environment as JSON.',
  evaluators: 'Modules with evaluators of your own, such as `./my-evaluators.ts`; several parted by commas.',
  allow_private_evaluators:
    'Whether remote evaluators, and endpoints that runs ask, may be at private addresses, such as `localhost`.',
  judge_concurrency: 'Executions of judges and of remote evaluators that run at the same time.',
  targets:
    'Agents that front ends of AG-UI reach at `/agui/NAME`, by name: `{"trips": {"kind": "adk", "url": "http://localhost:8000", "app_name": "trips"}}`; `kind` is `adk` (an api_server), `agent_engine` or `agui`. A target may also have `user_id`, `headers`, `forward_headers` (`{"x-agent-authorization": "authorization"}`: which headers of a front end go on, and by which name; none unless said), `token_env`, `token_command` or `api_key_env` for its keys, and `timeout_seconds` of silence. They are yours, so they may be at private addresses. In the environment as JSON.',
  redact:
    'What is taken out of conversations before they are stored: `{"kinds": ["email", "credit_card"], "patterns": [{"name": "customer", "pattern": "C-[0-9]{6}"}], "paths": ["args.card.number", "**.password"]}`. `kinds` are `email`, `phone`, `credit_card`, `iban`, `us_ssn`, `ip_address` and `secret`; `patterns` are regular expressions (JavaScript; what takes longer than two seconds is refused, and nothing is stored); `paths` name members of payloads, `*` any one, `**` any number. `[redacted:NAME]` stands in their place. In the environment as JSON.',
}
