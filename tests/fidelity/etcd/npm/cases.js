// SPDX-License-Identifier: Apache-2.0
//
// The unmodified npm package etcd3 against one server: `node cases.js HOST:PORT`, one line per
// case. Exit status: 0 all passed, 1 one failed, 2 wrong usage.
'use strict';

const assert = require('assert');
const { Etcd3, EtcdLeaseInvalidError, EtcdLockFailedError, EtcdPermissionDeniedError,
    EtcdAuthenticationFailedError, EtcdUserExistsError, EtcdRoleNotFoundError, Range } = require('etcd3');

const CASE_TIMEOUT_MS = 20000;

const cases = {
    async 'put, get as text, number and nothing'(client) {
        await client.put('a').value('17');
        assert.strictEqual(await client.get('a').string(), '17');
        assert.strictEqual(await client.get('a').number(), 17);
        assert.strictEqual(await client.get('nothing'), null);
    },

    async 'all keys of a namespace, sorted and limited'(client) {
        for (const key of ['b', 'c', 'a']) {
            await client.put(`n/${key}`).value(key);
        }
        assert.deepStrictEqual(await client.getAll().prefix('n/').sort('Key', 'Descend').limit(2).strings(),
            { 'n/c': 'c', 'n/b': 'b' });
        assert.strictEqual(await client.getAll().prefix('n/').count(), 3);
        const removed = await client.delete().prefix('n/');
        assert.strictEqual(removed.deleted, '3');
    },

    async 'previous value, touch keeps the value'(client) {
        const lease = client.lease(60);
        await client.put('a').value('1');
        const reply = await client.put('a').value('2').getPrevious();
        assert.strictEqual(reply.value.toString(), '1');
        await lease.put('a').value('3');
        await client.put('a').ignoreLease().value('4');
        const kv = (await client.get('a').exec()).kvs[0];
        assert.strictEqual(kv.lease, await lease.grant());
        await client.put('a').touch(); // without a lease: it lets go of the one it had
        await lease.put('b').value('5');
        await lease.revoke();
        assert.strictEqual(await client.get('a').string(), '4');
        assert.strictEqual(await client.get('b'), null);
    },

    async 'transaction takes the right branch'(client) {
        await client.put('a').value('1');
        const reply = await client.if('a', 'Value', '==', '1').and('b', 'Create', '==', 0)
            .then(client.put('b').value('2')).else(client.get('a')).commit();
        assert.strictEqual(reply.succeeded, true);
        const other = await client.if('b', 'Version', '>', 5).then(client.delete().key('b')).else(client.get('b')).commit();
        assert.strictEqual(other.succeeded, false);
        assert.strictEqual(other.responses[0].response_range.kvs[0].value.toString(), '2');
    },

    async 'lease is kept alive, its loss is told'(client) {
        const lease = client.lease(60);
        await lease.put('a').value('1');
        await lease.keepaliveOnce();
        const lost = new Promise((resolve) => lease.on('lost', resolve));
        await client.leaseClient.leaseRevoke({ ID: await lease.grant() });
        await assert.rejects(lease.keepaliveOnce(), EtcdLeaseInvalidError);
        await lost;
        assert.strictEqual(await client.get('a'), null);
    },

    async 'put on a lease that is not there'(client) {
        await assert.rejects(client.put('a').value('1').lease('4711').exec(), /requested lease not found/);
    },

    async 'watch sees puts and deletes'(client) {
        const watcher = await client.watch().prefix('w').create();
        const seen = [];
        const done = new Promise((resolve) => {
            watcher.on('put', (kv) => seen.push(`put ${kv.key}=${kv.value}`));
            watcher.on('delete', (kv) => { seen.push(`delete ${kv.key}`); resolve(); });
        });
        await client.put('w1').value('x');
        await client.put('other').value('y');
        await client.delete().key('w1');
        await done;
        assert.deepStrictEqual(seen, ['put w1=x', 'delete w1']);
        await watcher.cancel();
    },

    async 'watch from an old revision with previous values'(client) {
        await client.put('a').value('1');
        const first = Number((await client.get('a').exec()).kvs[0].mod_revision);
        await client.put('a').value('2');
        const watcher = await client.watch().key('a').startRevision(String(first)).withPreviousKV().create();
        const events = [];
        await new Promise((resolve) => watcher.on('put', (kv, before) => {
            events.push(`${before ? before.value : '-'}>${kv.value}`);
            if (events.length === 2) {
                resolve();
            }
        }));
        assert.deepStrictEqual(events, ['->1', '1>2']);
        await watcher.cancel();
    },

    async 'several watchers share a stream'(client) {
        const watchers = await Promise.all(['p', 'q', 'r'].map((key) => client.watch().key(key).create()));
        const seen = Promise.all(watchers.map((one) => new Promise((resolve) => one.once('put', (kv) => resolve(kv.value.toString())))));
        for (const key of ['r', 'q', 'p']) {
            await client.put(key).value(key);
        }
        assert.deepStrictEqual(await seen, ['p', 'q', 'r']);
        await Promise.all(watchers.map((one) => one.cancel()));
    },

    async 'lock excludes the second'(client) {
        const first = await client.lock('l').ttl(10).acquire();
        await assert.rejects(client.lock('l').ttl(10).acquire(), EtcdLockFailedError);
        await first.release();
        await client.lock('l').do(async () => {});
    },

    async 'election: campaign, observe, resign'(client) {
        const election = client.election('e', 10);
        const campaign = election.campaign('one');
        await new Promise((resolve, reject) => { campaign.on('elected', resolve); campaign.on('error', reject); });
        assert.strictEqual(await election.leader(), 'one');
        const observer = await election.observe();
        assert.strictEqual(observer.leader(), 'one');
        await campaign.proclaim('uno');
        assert.strictEqual(await election.leader(), 'uno');
        await campaign.resign();
        await observer.cancel();
    },

    async 'software transactional memory'(client) {
        await client.put('n').value('1');
        await client.stm().transact(async (tx) => {
            await tx.put('n').value(String(Number(await tx.get('n').string()) + 1));
        });
        assert.strictEqual(await client.get('n').string(), '2');
    },

    async 'a compacted revision cannot be read'(client) {
        await client.put('a').value('1');
        const old = (await client.get('a').exec()).kvs[0].mod_revision;
        await client.put('a').value('2');
        const now = (await client.get('a').exec()).kvs[0].mod_revision;
        await client.kv.compact({ revision: now, physical: true });
        await assert.rejects(client.get('a').revision(old).exec(), /required revision has been compacted/);
    },

    async 'maintenance: status, alarms, hash, members'(client) {
        const status = await client.maintenance.status();
        assert.match(status.version, /^3\.[45]\./);
        assert.strictEqual(status.leader, status.header.member_id);
        assert.deepStrictEqual((await client.maintenance.alarm({ action: 'Get', memberID: 0, alarm: 'None' })).alarms, []);
        assert.ok((await client.maintenance.hash()).hash !== undefined);
        assert.strictEqual((await client.cluster.memberList({})).members.length, 1);
    },

    async 'snapshot streams to its end'(client) {
        const stream = await client.maintenance.snapshot();
        let bytes = 0;
        await new Promise((resolve, reject) => {
            stream.on('data', (part) => { bytes += part.blob.length; });
            stream.on('end', resolve);
            stream.on('error', reject);
        });
        assert.ok(bytes > 0);
    },

    // Leaves auth disabled again, and no user or role.
    async 'users, roles and permissions'(client, host) {
        await assert.rejects(client.role('nobody').permissions(), EtcdRoleNotFoundError);
        await client.role('root').create().catch(() => {});
        const reader = await client.role('reader').create();
        await reader.grant({ permission: 'Read', range: Range.prefix('r/') });
        await client.user('root').create('secret');
        await client.user('root').addRole('root');
        await client.user('eve').create('pass');
        await client.user('eve').addRole('reader');
        await assert.rejects(client.user('eve').create('pass'), EtcdUserExistsError);
        await client.auth.authEnable();
        const root = new Etcd3({ hosts: host, auth: { username: 'root', password: 'secret' } });
        try {
            const eve = new Etcd3({ hosts: host, auth: { username: 'eve', password: 'pass' } });
            await root.put('r/a').value('1');
            assert.strictEqual(await eve.get('r/a').string(), '1');
            await assert.rejects(eve.put('r/a').value('2').exec(), EtcdPermissionDeniedError);
            await assert.rejects(eve.get('other').exec(), EtcdPermissionDeniedError);
            eve.close();
            const mallory = new Etcd3({ hosts: host, auth: { username: 'eve', password: 'wrong' } });
            await assert.rejects(mallory.get('r/a').exec(), EtcdAuthenticationFailedError);
            mallory.close();
        } finally {
            await root.auth.authDisable();
            root.close();
        }
        await client.user('eve').delete();
        await client.user('root').delete();
        await reader.delete();
        await client.role('root').delete().catch(() => {});
    },
};

function timeout(milliseconds) {
    return new Promise((_, reject) => {
        setTimeout(() => reject(new Error(`not finished after ${milliseconds} ms`)), milliseconds).unref();
    });
}

async function main(host) {
    let failed = 0;
    for (const [name, run] of Object.entries(cases)) {
        const all = new Etcd3({ hosts: host });
        try {
            await all.delete().all();
            await Promise.race([run(all, host), timeout(CASE_TIMEOUT_MS)]);
            console.log(`ok   etcd3: ${name}`);
        } catch (error) {
            failed = 1;
            console.log(`FAIL etcd3: ${name}: ${error.stack}`);
        }
        all.close();
    }
    process.exit(failed);
}

if (process.argv.length !== 3) {
    console.error('usage: node cases.js HOST:PORT');
    process.exit(2);
}
main(process.argv[2]);
