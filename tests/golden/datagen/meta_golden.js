// meta_golden.js - runs Materialize datagen's own generateMegaRecord over a schema, seed 42, and
// prints each record as topic, key and JSON, tab-separated. See README.md for how to run it.
//     node meta_golden.js mega.js schema.json iterations
'use strict';
const { faker } = require('@faker-js/faker');
const { generateMegaRecord } = require(require('path').resolve(process.argv[2]));
console.warn = () => {};
Math.random = () => faker._randomizer.next();

(async () => {
  let schema = JSON.parse(require('fs').readFileSync(process.argv[3], 'utf8'));
  if (!Array.isArray(schema)) schema = [schema];
  faker.seed(42);
  for (let i = 0; i < Number(process.argv[4]); i++) {
    global.iterationIndex = i;
    const mega = await generateMegaRecord(schema);
    for (const topic in mega) {
      for (const record of mega[topic].records) {
        const key = record[mega[topic].key];
        console.log(`${topic}\t${key ? String(key) : ''}\t${JSON.stringify(record)}`);
      }
    }
  }
})();
