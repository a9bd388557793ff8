// Keeps values for tools while the page is open, apart for each origin.
const origins = new Set(document.body.dataset.origins.split(" "));
const kept = new Map();
const LIMIT = 100;
window.addEventListener("message", (event) => {
  const data = event.data;
  if (!data || typeof data.subject !== "string" || !event.source) { return; }
  const put = data.subject === "lti.put_data";
  if (!put && data.subject !== "lti.get_data") { return; }
  const answer = { subject: data.subject + ".response", message_id: data.message_id };
  const fail = (code, message) => { answer.error = { code, message }; };
  const key = JSON.stringify([event.origin, data.key]);
  if (!origins.has(event.origin)) { fail("unauthorized", "This origin is not a registered tool."); }
  else if (typeof data.message_id !== "string" || typeof data.key !== "string") { fail("bad_request", "message_id and key must be text."); }
  else if (put && data.value === null) { kept.delete(key); answer.key = data.key; answer.value = null; }
  else if (put && typeof data.value !== "string") { fail("bad_request", "value must be text."); }
  else if (put && data.value.length > 4096) { fail("bad_request", "value is too long."); }
  else if (put && !kept.has(key) && kept.size >= LIMIT) { fail("storage_exhaustion", "Too many values."); }
  else {
    if (put) { kept.set(key, data.value); }
    answer.key = data.key;
    answer.value = kept.has(key) ? kept.get(key) : null;
  }
  event.source.postMessage(answer, event.origin);
});
