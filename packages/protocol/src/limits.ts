/**
 * Everything that grows has a cap, and every cap stands here with its unit.
 * Each has a test at the edge and one past it.
 */
export const limits = {
  /** Traces in one `/webhook/batch` request. */
  batchTraces: 100,
  /** Bytes of the body of one `/webhook/trace` request, after decompression. */
  traceBytes: 4 * 1024 * 1024,
  /** Bytes of the body of one `/webhook/batch` request, after decompression. */
  batchBytes: 32 * 1024 * 1024,
  /** Bytes of any other request body. */
  bodyBytes: 256 * 1024,
  /** Levels of nesting inside a request body. */
  jsonDepth: 64,
  /** Characters of an identifier or label that is indexed: trace_id, model_name, session_id, user_id, source, batch_id. */
  nameChars: 200,
  /** UTF-8 bytes of the same. */
  nameBytes: 512,
  /** Characters of user_query, system_prompt and ai_response, each. */
  textChars: 1_000_000,
  /** Entries of functions_called. */
  functionCalls: 1_000,
  /** Fields of one trace that the schema does not know; they are kept, but not without end. */
  unknownFields: 1_000,
  /** Characters of the query and response previews that lists and streams carry. */
  previewChars: 100,
  /** Characters of a reviewer's note. */
  noteChars: 10_000,
  /** Largest whole number accepted for tokens, and for milliseconds. */
  countMax: 1_000_000_000_000,
  /** Largest cost accepted, in US dollars. */
  costMax: 1_000_000,
  /** Rows of one list page. */
  pageRows: 200,
  /** Characters of a full-text query. */
  searchChars: 200,
  /** Words of a full-text query. */
  searchWords: 16,
  /** Points of one time series answer. */
  seriesPoints: 1_500,
  /** Traces that `/stream/traces` sends at first. */
  initialTraces: 100,
  /** Seconds between two metrics frames: shortest and longest. */
  metricsIntervalMin: 1,
  metricsIntervalMax: 3_600,
  /** Bytes of one page of events that a stream holds in memory (or one event, if that is larger). */
  streamPageBytes: 256 * 1024,
  /** Seconds a stream reader may go without draining a byte before it is cut. */
  streamStallSeconds: 30,
  /** Seconds between two heartbeats of a stream. */
  heartbeatSeconds: 15,
  /** Open streams of one server process. */
  streams: 10_000,
  /** Traces that wait for the next group commit before new ones are answered 503. */
  commitQueueTraces: 20_000,
  /** Bytes that wait for the next group commit before new ones are answered 503. */
  commitQueueBytes: 128 * 1024 * 1024,
  /** Seconds a signature's timestamp may lie in the past or the future. */
  signatureSkewSeconds: 300,
  /** Seconds a stream ticket can be redeemed. */
  ticketSeconds: 60,
  /** Seconds a sign-in link can be redeemed. */
  signinSeconds: 15 * 60,
  /** Seconds a browser session lasts. */
  sessionSeconds: 30 * 24 * 3_600,
  /** Bytes of the input of one execution, as JSON. */
  evaluationInputBytes: 4 * 1024 * 1024,
  /** Bytes of an evaluator's definition or configuration, as JSON. */
  evaluatorBytes: 256 * 1024,
  /** Evaluators of one project, beside the built-in ones. */
  evaluators: 1_000,
  /** Versions of one evaluator. */
  evaluatorVersions: 1_000,
  /** Executions that wait or run in one process before new ones are answered 503. */
  executionsWaiting: 10_000,
  /** Bytes of the inputs of these. */
  executionsWaitingBytes: 256 * 1024 * 1024,
  /** Executions of one request. */
  batchExecutions: 1_000,
  /** Seconds a code or custom evaluator may take, and a judge or remote one with all its retries. */
  codeSeconds: 10,
  judgeSeconds: 120,
  /** Bytes of the answer of a remote evaluator. */
  remoteAnswerBytes: 1024 * 1024,
  /** Bytes of one answer of a model's provider. */
  modelAnswerBytes: 16 * 1024 * 1024,
  /** Answers of models that are kept to be given again, and characters of all of them. */
  answersKept: 10_000,
  answersKeptChars: 32 * 1024 * 1024,
  /** Samples a judge may be asked for. */
  judgeSamples: 15,
  /** Characters of an explanation that is stored; more is cut. */
  explanationChars: 10_000,
  /** Bytes of a score's output that are stored; a larger one is an error of its evaluator. */
  scoreOutputBytes: 256 * 1024,
  /** Rules of one project, and evaluators of one rule. */
  rules: 100,
  ruleEvaluators: 20,
  /** Seconds that a request may ask to wait for the end of an execution. */
  waitSeconds: 60,
  /** Open streams and sockets of executions, of one server process. */
  executionStreams: 10_000,
  /** Bytes of one message that a client sends on a WebSocket. */
  socketMessageBytes: 4 * 1024,
  /** Open WebSockets of runs of one server process, and runs that one of them follows. */
  runSockets: 1_000,
  socketRuns: 100,
  /** Seconds that a WebSocket may stay open before its client says who they are. */
  socketAuthSeconds: 5,
  /** Messages without sense after which a WebSocket is closed. */
  socketFaults: 10,
  /** Milliseconds between two `progress` frames of one run on one WebSocket. */
  runProgressMs: 100,
  /** Traces that a calibration looks at, and how many of each kind of error it lists. */
  calibrationTraces: 10_000,
  calibrationExamples: 100,
  /** Seconds a client of the execution document is kept waiting before it gets white space to stay awake. */
  longPollQuietSeconds: 20,
  /** Seconds that a request of a foreign client, which does not try again, waits for its rate limit or a place in a queue. */
  foreignPatienceSeconds: 10,
  /** Requests of foreign clients that wait so at one moment, of one server process. */
  foreignWaiting: 1_000,
  /** Bytes of a foreign client's rows or task results in one request. */
  foreignBodyBytes: 32 * 1024 * 1024,
  /** Rows that a foreign client adds in one request. */
  foreignRequestRows: 50_000,
  /** Rows of one page of a foreign client, and those that come with the dataset itself. */
  foreignPageRows: 1_000,
  foreignDatasetRows: 10_000,
  /** Tasks of one request of a pull request's run. */
  runTasks: 10_000,
  /** Evaluators of one run. */
  runEvaluators: 50,
  /** Items of one run that are worked on at the same time. */
  runConcurrency: 1_000,
  /** Milliseconds that an attempt of a task may be given. */
  runTimeoutMs: 3_600_000,
  /** Attempts at an item after the first, and times that a case is asked. */
  runRetries: 10,
  runRepetitions: 100,
  /** Bytes of the input, the expectation and the output of a run's item, as JSON, each. */
  runOutputBytes: 1024 * 1024,
  /** Characters of an error of a task that are kept; more is cut. */
  runErrorChars: 2_000,
  /** Runs of one project, and items of one run. */
  runs: 10_000,
  runItems: 1_000_000,
  /** Bytes of the body of a request that makes a run, after decompression. */
  runBytes: 4 * 1024 * 1024,
  /** Seconds after which the run of a client that says nothing is given up as abandoned. */
  runSilenceSeconds: 120,
  /** Events of one request that tells of a run, and bytes of its body after decompression. */
  runEvents: 500,
  runEventsBytes: 32 * 1024 * 1024,
  /** Characters of the texts of an item that tables of items show. */
  itemPreviewChars: 200,
  /** Errors of a run that are put in groups, groups that are told, and characters of what the errors of one have in common. */
  runErrors: 20_000,
  runErrorGroups: 100,
  runErrorPatternChars: 300,
  /** Headers that a run sends with each request of its task, tags of a run, and characters of its metadata, and of its configuration, as JSON. */
  runHeaders: 50,
  runTags: 50,
  runMetadataChars: 64 * 1024,
  /** Runs of one comparison, items of all of them, and cases that it lists. */
  comparedRuns: 10,
  comparedItems: 2_000_000,
  comparedCases: 1_000,
  /** Cases that a comparison draws, numbers in all of them, and bounds of one gate on each side. */
  comparedPoints: 2_000,
  comparedPointNumbers: 200_000,
  gateBounds: 100,
  /** Datasets of one project, and versions of one dataset. */
  datasets: 1_000,
  datasetVersions: 1_000,
  /** Rows and columns of a dataset. */
  datasetRows: 1_000_000,
  datasetColumns: 200,
  /** Rows of one request that adds them. */
  requestRows: 1_000,
  /** Bytes of the body of one request that adds or changes rows, after decompression. */
  requestRowsBytes: 16 * 1024 * 1024,
  /** Bytes of one row, as JSON. */
  rowBytes: 1024 * 1024,
  /** Bytes of an imported file. */
  importBytes: 1024 * 1024 * 1024,
  /** Bad rows of an import that are told one by one. */
  importErrors: 100,
  /** API keys of one project that are not revoked. */
  keys: 1_000,
  /** Bytes of one answer of an agent under test, after decompression, and characters of one event or line of it. */
  agentAnswerBytes: 64 * 1024 * 1024,
  agentLineChars: 8 * 1024 * 1024,
  /** Arrays and objects of an answer inside each other: what is nested deeper cannot be written again. */
  agentJsonDepth: 500,
  /** Characters of what an agent says in the end. */
  agentOutputChars: 4_000_000,
  /** Events of one answer, and calls of tools and notes that are kept of it. */
  agentEvents: 500_000,
  agentToolCalls: 10_000,
  agentNotes: 1_000,
  /** Characters that are shown of an answer that is none, or of a note. */
  agentExcerptChars: 500,
  /** Milliseconds that a stream may stay open after it said that its message is complete. */
  agentCloseMs: 2_000,
  /** Bytes of one file of test cases, and cases of one file. */
  caseFileBytes: 4 * 1024 * 1024,
  suiteCases: 10_000,
  /** Suites of agent tests of one project, and reports that are kept of one suite: the oldest makes room. */
  agentSuites: 1_000,
  agentSuiteReports: 1_000,
  /** Cases of one report of agent tests, and bytes of its body after decompression. */
  agentReportCases: 2_000,
  agentReportBytes: 32 * 1024 * 1024,
  /** Levels of nesting of such a body: those that an answer of an agent may have, and those around it. */
  agentReportDepth: 520,
  /** Bytes of the whole result of a case in a report, as JSON: of a larger one only the numbers are kept. */
  agentResultBytes: 1024 * 1024,
  /** Accepted ways of one case, and days ahead that a quarantine may end. */
  agentVariants: 20,
  agentQuarantineDays: 90,
  /** Conversations of one project, events of one, and bytes of one event as JSON. */
  conversations: 1_000_000,
  conversationEvents: 100_000,
  conversationEventBytes: 4 * 1024 * 1024,
  /** Events of one request that tells of a conversation, and bytes of its body after decompression. */
  requestConversationEvents: 1_000,
  requestConversationBytes: 16 * 1024 * 1024,
  /** Seconds of silence after which a request to an agent of which no end was stored counts as truncated. */
  conversationSilenceSeconds: 120,
  /** Bytes of the events of one conversation that is shown as a whole, and of all conversations of one export. */
  conversationReadBytes: 128 * 1024 * 1024,
  /** Replays of conversations that one server process does at the same time. */
  replays: 20,
  /** Events of all conversations of one export. */
  exportEvents: 200_000,
  /** Conversations of one export. */
  exportConversations: 1_000,
  /** Bytes of one request to the bridge: AG-UI sends the whole history with each. */
  bridgeRequestBytes: 32 * 1024 * 1024,
  /** Requests to agents that one server process bridges at the same time. */
  bridgeRuns: 1_000,
  /** Bytes of one answer that the bridge passes on. */
  bridgeAnswerBytes: 512 * 1024 * 1024,
  /** Conversations of which the bridge remembers in memory what it would otherwise read again. */
  bridgeThreads: 5_000,
  /** Bytes of an eval file that is read. */
  evalFileBytes: 64 * 1024 * 1024,
  /** Characters of one record of a log, objects and lists inside each other in it, and characters of a line. */
  logRecordChars: 32 * 1024 * 1024,
  logRecordDepth: 200,
  logLineChars: 64 * 1024 * 1024,
  /** Events that are read of one log, its runs, and warnings that are told of it. */
  logEvents: 1_000_000,
  logRuns: 100_000,
  logWarnings: 1_000,
  /** Logs of one import. */
  logFiles: 1_000,
} as const
