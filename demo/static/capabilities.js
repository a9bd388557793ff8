// Tells a tool in the frame which messages are understood, and by which frame.
window.addEventListener("message", (event) => {
  const data = event.data;
  if (!data || data.subject !== "lti.capabilities" || !data.message_id || !event.source) { return; }
  event.source.postMessage({
    subject: "lti.capabilities.response",
    message_id: data.message_id,
    supported_messages: [
      { subject: "lti.capabilities" },
      { subject: "lti.put_data", frame: "lti_storage" },
      { subject: "lti.get_data", frame: "lti_storage" },
    ],
  }, event.origin);
});
