// faker_tables.js - makes faker_tables.inc: the English word lists of @faker-js/faker 8.4.1 that
// datagen's native functions draw from. The build does not run this; to make the file anew:
//
//     cd $(mktemp -d) && npm install @faker-js/faker@8.4.1
//     NODE_PATH=node_modules node .../plugins/datagen/faker_tables.js > .../faker_tables.inc
'use strict';
const { fakerEN } = require('@faker-js/faker');
const data = fakerEN.rawDefinitions;

const names = `
animal.bear animal.cat animal.cetacean animal.crocodilia animal.dog animal.fish animal.horse
animal.lion animal.rabbit animal.type
color.human
commerce.department commerce.product_description commerce.product_name.adjective
commerce.product_name.material commerce.product_name.product
company.adjective company.buzz_adjective company.buzz_noun company.buzz_verb company.descriptor
company.noun company.suffix
database.collation database.column database.engine database.type
date.month.abbr date.month.wide date.weekday.abbr date.weekday.wide
finance.account_type finance.transaction_type
hacker.abbreviation hacker.adjective hacker.ingverb hacker.noun hacker.verb
internet.domain_suffix internet.example_email internet.free_email
location.city_name location.city_prefix location.city_suffix location.country location.county
location.direction location.direction_abbr location.state location.state_abbr
location.street_name location.street_suffix location.time_zone
lorem.words
music.genre music.song_name
person.female_first_name person.female_middle_name person.female_prefix person.first_name
person.gender person.last_name person.male_first_name person.male_middle_name person.male_prefix
person.middle_name person.prefix person.sex person.suffix person.title.descriptor
person.title.job person.title.level person.western_zodiac_sign
phone_number.formats
vehicle.bicycle_type vehicle.fuel vehicle.manufacturer vehicle.model vehicle.type
word.adjective word.adverb word.conjunction word.interjection word.noun word.preposition
`.trim().split(/\s+/);

const lists = names.map((name) => [name, name.split('.').reduce((at, part) => at[part], data)]);
const columns = [
  ['finance.currency', ['code', 'name', 'symbol']],
  ['location.country_code', ['alpha2', 'alpha3', 'numeric']],
];
for (const [name, keys] of columns) {
  const rows = name.split('.').reduce((at, part) => at[part], data);
  for (const key of keys) lists.push([`${name}.${key}`, rows.map((row) => row[key])]);
}
lists.sort((a, b) => (a[0] < b[0] ? -1 : 1));

function quoted(text) {
  return text.replace(/[\\"]/g, '\\$&').replace(/\?\?/g, '?\\?');
}

const out = [`/* Word lists of @faker-js/faker 8.4.1 (English), in the package's order, which decides what a
 * seed gives. Made by faker_tables.js. MIT License:
 *
${require('fs').readFileSync(require.resolve('@faker-js/faker').replace(/dist.*/, 'LICENSE'), 'utf8')
    .trim().split('\n').map((line) => ` * ${line}`.trimEnd()).join('\n')}
 */`];
for (const [name, items] of lists) {
  let line = '';
  out.push(`{"${name}", ${items.length},`);
  for (const item of items) {
    if (typeof item !== 'string' || item.includes('\0')) throw new Error(`${name}: ${item}`);
    const piece = `${quoted(item)}\\0`;
    // A digit after \0 would make it an octal escape: the string is broken there.
    const glue = /^[0-7]/.test(piece) && line ? '""' : '';
    if (line && Buffer.byteLength(line + glue + piece) > 92) {
      out.push(`    "${line}"`);
      line = piece;
    } else {
      line += glue + piece;
    }
  }
  out.push(`    "${line}"},`);
}
console.log(out.join('\n'));
