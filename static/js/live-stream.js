// Reads text/event-stream by fetch and comes back by itself with the id of the last event that it got.
const FIRST_WAIT = 1_000;
const LAST_WAIT = 30_000;

export function listen(url, tell, gone) {
  const abort = new AbortController();
  run(url, tell, abort.signal)
    .catch(() => undefined)
    .finally(gone);
  return () => abort.abort();
}

async function run(url, tell, signal) {
  const state = { last: "" };
  let wait = FIRST_WAIT;
  while (!signal.aborted) {
    const headers = state.last ? { "Last-Event-ID": state.last } : {};
    const answer = await fetch(url, { headers, signal, credentials: "same-origin" }).catch(
      () => null,
    );
    if (answer?.status === 401 || answer?.status === 404)
      return tell({ name: "refused", status: answer.status });
    if (answer?.ok && answer.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      tell({ name: "connected" });
      wait = FIRST_WAIT;
      await read(answer.body, state, tell).catch(() => undefined);
    }
    tell({ name: "lost" });
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(2 * wait, LAST_WAIT);
  }
}

async function read(body, state, tell) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    blocks.forEach((block) => parse(block, state, tell));
  }
}

function parse(block, state, tell) {
  const message = { name: "message", data: "" };
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) state.last = line.slice(4);
    else if (line.startsWith("event: ")) message.name = line.slice(7);
    else if (line.startsWith("data: ")) message.data += line.slice(6);
  }
  if (message.data) tell({ name: "event", event: message.name, data: JSON.parse(message.data) });
  else tell({ name: "beat" });
}
