// The tool says that it is done: show the list with the new tool, pending.
window.addEventListener("message", (event) => {
  const frame = document.getElementById("registration");
  let data = event.data;
  try { data = typeof data === "string" ? JSON.parse(data) : data; } catch { return; }
  if (frame && event.source === frame.contentWindow && data && data.subject === "org.imsglobal.lti.close") {
    window.location.assign("/admin/tools");
  }
});
