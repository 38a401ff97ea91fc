// node-routeros against one router: log in, edit, listen, cancel. Says each step as a JSON line.
const { RouterOSAPI } = require('node-routeros');
const say = (what, value) => console.log(JSON.stringify([what, value]));
const api = new RouterOSAPI({
  host: '127.0.0.1', port: Number(process.argv[2]), user: 'admin', password: process.argv[3], timeout: 5,
});
(async () => {
  try { await api.connect(); } catch (error) { say('refused', error.message); process.exit(0); }
  say('identity', await api.write('/system/identity/print'));
  try { await api.write('/wifi/print'); } catch (error) { say('trap', error.message); }
  const added = await api.write('/ppp/secret/add', ['=name=node', '=password=x', '=profile=10M']);
  say('added', added);
  say('found', await api.write('/ppp/secret/print', ['?name=node', '=.proplist=name,profile']));
  const stream = api.stream(['/ppp/active/listen'], (error, row) => {
    if (error) { say('stream-error', error.message); return; }
    say('event', row);
    if (row['.dead']) {
      stream.stop().then(() => { say('stopped', true); return api.close(); }).then(() => process.exit(0));
    }
  });
  setTimeout(() => say('listening', true), 50);
})().catch((error) => { say('failed', String(error)); process.exit(1); });
