// faker_golden.js - what @faker-js/faker 8.4.1 gives for (seed 42, expression), as lines of
// expression, tab, JSON array of the first values. See README.md for how to run it.
'use strict';
const { faker } = require('@faker-js/faker');
console.warn = () => {};
Math.random = () => faker._randomizer.next();

const times = 12;
const lines = require('fs').readFileSync(process.argv[2], 'utf8').split('\n');
for (const expression of lines) {
  if (!expression || expression.startsWith('//')) continue;
  faker.seed(42);
  const values = [];
  for (let i = 0; i < times; i++) {
    global.iteration = { index: i + 1 };
    values.push(new Function('faker', `return ${expression};`)(faker));
  }
  console.log(`${expression}\t${JSON.stringify(values)}`);
}
