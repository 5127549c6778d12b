/** Lets people do on this page what their role allows. Who is at the controls is decided by Keyswitch alone. */
const { keyswitch, appId } = document.body.dataset;
const $ = (id) => document.getElementById(id);
const controls = document.querySelectorAll('[data-roles]');

/** Loaded from the host; a copy of the file beside this one serves as well. */
const { createClient } = await import(`${keyswitch}/clients/keyswitch.js`).catch(tryLater);
const client = createClient({ url: keyswitch });

/** What Keyswitch has told last: kept, because the time left goes down without any news. */
let app = null;
let ticket = null;

client.follow(appId, (news) => {
  app = news;
  show();
});
setInterval(show, 1000);

function show() {
  const { connection, state } = app;
  const leftMs = state?.authenticated ? Date.parse(state.expiresAt) - client.now() : 0;
  const isSomebody = state?.authenticated === true && leftMs > 0;
  // While the connection is lost nobody knows who is at the controls: then no button works.
  const role = isSomebody && connection.state === 'live' ? state.role : null;

  tell('who', who(connection, state, isSomebody));
  tell('left', isSomebody ? `${minutes(leftMs)} left` : '');
  $('sign-out').hidden = !isSomebody;
  $('sign-in').hidden = isSomebody || ticket !== null || connection.state !== 'live';
  $('new-password').hidden = ticket === null;
  for (const button of controls) button.disabled = !button.dataset.roles.split(' ').includes(role);
}

function who(connection, state, isSomebody) {
  if (connection.state === 'connecting') return 'Connecting to Keyswitch …';
  if (connection.state === 'refused') return `Keyswitch refuses this page: ${connection.reason}`;
  if (connection.state === 'lost')
    return `No connection since ${new Date(connection.since).toLocaleTimeString()}`;
  return isSomebody ? `${state.displayName} is at the controls` : 'Nobody is at the controls';
}

/** Writes only what is new: a screen reader says every change. */
function tell(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

function minutes(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Does `action`, and shows what the host refused. */
async function attempt(action) {
  tell('problem', '');
  try {
    await action();
  } catch (problem) {
    if (problem.code === 'password-change-required') ticket = problem.ticket;
    else
      tell('problem', [problem.message, ...(problem.faults ?? []).map(({ message }) => message)].join(' '));
  }
  show();
}

/** Sends a form's fields to `action`, and leaves no password on the page. */
function onSubmit(id, action) {
  $(id).addEventListener('submit', (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    for (const input of event.target.querySelectorAll('[type=password]')) input.value = '';
    void attempt(() => action(fields));
  });
}

onSubmit('sign-in', ({ username, password }) => client.signIn({ username, password, appId }));
onSubmit('new-password', async ({ newPassword }) => {
  await client.changePassword({ ticket, newPassword });
  ticket = null;
});
// Whoever is at the controls, wherever they signed in: also after this page was loaded anew, or by the PLC.
$('sign-out').addEventListener('click', () => attempt(() => client.signOutApp(appId)));

for (const button of controls)
  button.addEventListener('click', () => {
    // Here an HMI writes to its PLC. The PLC itself knows the role too, from its Keyswitch link, and must check it.
    tell('done', `${button.textContent}: done by ${app.state.user}`);
  });

/** Keyswitch cannot be reached, or does not trust this page's origin. */
function tryLater() {
  tell('who', 'Keyswitch does not answer. Trying again …');
  setTimeout(() => location.reload(), 5000);
  return new Promise(() => {});
}
