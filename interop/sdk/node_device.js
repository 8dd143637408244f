#!/usr/bin/env node
// A device on the unmodified azure-iot-device and azure-iot-device-mqtt
// packages. Sends messages and prints one JSON line for each that the hub
// acknowledged.
//
// node_device.js --connection-string CS --ca FILE [--count N]
//   [--property NAME=VALUE]... [--websockets] [--twin]
'use strict';
const fs = require('fs');
const { randomUUID } = require('crypto');
const { parseArgs } = require('util');
const { Client, Message } = require('azure-iot-device');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');

const { values: args } = parseArgs({
  options: {
    'connection-string': { type: 'string' },
    ca: { type: 'string' },
    count: { type: 'string', default: '1' },
    property: { type: 'string', multiple: true, default: [] },
    websockets: { type: 'boolean', default: false },
    twin: { type: 'boolean', default: false },
  },
});

const print = (o) => process.stdout.write(JSON.stringify(o) + '\n');

async function main() {
  const client = Client.fromConnectionString(args['connection-string'], args.websockets ? MqttWs : Mqtt);
  await client.setOptions({ ca: fs.readFileSync(args.ca, 'ascii') });
  await client.open();
  if (args.twin) {
    const twin = await client.getTwin();
    print({ twin: { desired: twin.properties.desired, reported: twin.properties.reported } });
  }
  for (let seq = 0; seq < Number(args.count); seq++) {
    const body = JSON.stringify({ ts: new Date().toISOString(), seq, temperature: 20 + seq / 2, sdk: 'node' });
    const m = new Message(body);
    m.contentType = 'application/json';
    m.contentEncoding = 'utf-8';
    m.messageId = randomUUID();
    for (const pair of args.property) {
      const at = pair.indexOf('=');
      m.properties.add(at < 0 ? pair : pair.slice(0, at), at < 0 ? '' : pair.slice(at + 1));
    }
    await client.sendEvent(m); // resolves after PUBACK
    print({ acknowledged: seq, message_id: m.messageId, body });
  }
  await client.close();
}

main().then(
  () => process.exit(0),
  (err) => {
    process.stderr.write(String(err && err.stack ? err.stack : err) + '\n');
    process.exit(1);
  },
);
