// One server-sent stream for all tabs of a browser; every tab hears it by BroadcastChannel. Names of events are open, so the
// stream is read by fetch, not by EventSource, which hands out only the names that it was told.
import { listen } from "./live-stream.js";

const channel = new BroadcastChannel("cs-live");
const streams = new Map(); // a stream that is open already is as good as a new one: the page is told so

function open(url) {
  if (streams.has(url))
    return channel.postMessage({ url, name: "event", event: "hello", data: {} });
  const stop = listen(
    url,
    (message) => channel.postMessage({ url, ...message }),
    () => streams.delete(url),
  );
  streams.set(url, stop);
}

self.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => open(data.url);
  port.start();
};
