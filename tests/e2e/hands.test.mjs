// Journeys from hand to hand, each from an empty workspace: a problem in plain words, a handoff across two computers, a gate
// that blocks, a note that two people write, a cycle that closes, and finding anything again.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test as plain } from 'node:test';
import { look } from './pages.mjs';
import { cairn, serve, temporary, until } from './program.mjs';

const test = (name, body) => plain(name, { timeout: 180_000 }, body);

let place;
let ana;
let max;

/** A person at a computer: their workspace, its service, and a browser on it. */
async function seat(name, init) {
  const env = { CAIRN_HOME: `${place.dir}/home-${name}`, CAIRN_PASSPHRASE: 'browser journeys', CAIRN_SHARE_BY_HAND: '1' };
  const ws = `${place.dir}/${name}`;
  cairn(env, ...init(ws));
  return { env, ws, share: () => cairn(env, '--workspace', ws, 'share'), call: (command, request = {}) => JSON.parse(cairn(env, '--workspace', ws, '--json', 'call', command, JSON.stringify(request))) };
}

async function sit(person) {
  person.service = await serve(person.env, person.ws);
  Object.assign(person, await look(person.service));
  person.go = async (hash) => {
    await person.page.goto(`${person.service.url}/#${hash}`);
    await person.page.getByRole('heading', { level: 1 }).first().waitFor();
  };
}

before(async () => {
  place = temporary();
  const remote = `${place.dir}/shared.git`;
  execFileSync('git', ['init', '--quiet', '--bare', remote]);
  ana = await seat('ana', (ws) => ['init', ws, '--name', 'Clinic', '--person', 'Ana', '--role', 'business_owner', '--remote', remote]);
  ana.share();
  const invitation = ana.call('app.status').workspace.invitation;
  max = await seat('max', (ws) => ['join', ws, invitation, '--person', 'Max']);
  ana.share();
  const asked = ana.call('member.list').requests[0];
  ana.call('member.admit', { device: asked.device, roles: ['data_engineer', 'data_scientist'] });
  ana.share();
  max.share();
  await sit(ana);
  await sit(max);
});

after(async () => {
  for (const person of [ana, max]) {
    await person?.browser?.close();
    person?.service?.end();
  }
  place?.end();
});

/** Types into a question of the form and leaves it, which saves it. */
async function answer(page, heading, text) {
  const field = page.getByLabel(heading, { exact: true });
  await field.fill(text);
  await field.blur();
  await page.locator('.field', { has: field }).getByText('✓ Saved').waitFor();
}

test('an owner states a problem in plain words, led by the form', async () => {
  const { page, check } = ana;
  await page.getByRole('button', { name: 'Start a project' }).first().click();
  await page.getByLabel('What do you want to achieve?').fill('Fewer missed appointments');
  await page.getByRole('radio', { name: /^Standard/ }).check();
  await page.getByRole('button', { name: 'Start the project' }).click();
  await page.getByRole('link', { name: 'State the problem' }).click();
  await page.getByRole('heading', { level: 2, name: 'The problem' }).waitFor();
  await page.getByText('For example: Every morning the front desk decides').waitFor();
  await check('problem-form');
  const began = Date.now();
  await answer(page, 'Business problem', 'One in eight patients does not come.');
  await answer(page, 'Decision to support', 'Whom the front desk calls the day before.');
  await answer(page, 'Who uses it', 'Six people at the front desk.');
  await answer(page, 'Who is affected', 'All patients with an appointment.');
  await page.getByRole('button', { name: 'Next: The value' }).click();
  await answer(page, 'Hypothesis of value', 'If we call them, half of them come.');
  await answer(page, 'Value metric', 'Unused hours per month');
  await answer(page, 'How it is measured', 'From the booking system, monthly. Today 160.');
  await page.getByRole('button', { name: 'Next: Success' }).click();
  await answer(page, 'Success for the business', 'Under 110 hours by June');
  await answer(page, 'Success of the model', 'Half of those who miss are on the list');
  await answer(page, 'Economic success', 'At most 30,000 €');
  await page.getByRole('button', { name: 'Next: Errors' }).click();
  await answer(page, 'Cost of a false alarm', 'A call of three minutes');
  await answer(page, 'Cost of a miss', 'The hour is lost: 90 €');
  await answer(page, 'Currency (if you know)', '€');
  await answer(page, 'A false alarm in money (if you know)', '2,50');
  await answer(page, 'A miss in money (if you know)', '90');
  await answer(page, 'What must never happen', 'Somebody loses an appointment');
  await page.getByRole('button', { name: 'Next: Limits' }).click();
  await answer(page, 'Not to be used for', 'Overbooking, judging people');
  await page.getByRole('button', { name: 'Next: Risk' }).click();
  await page.getByText('7 of 7 questions are open.').waitFor();
  for (const question of await page.getByRole('group').filter({ hasText: /\?/ }).all()) await question.getByRole('radio', { name: 'No' }).check();
  await page.getByText('Low: none of this applies.').waitFor();
  await page.getByRole('group', { name: /personal|persons/ }).getByRole('radio', { name: 'Yes' }).check();
  await page.getByText('Medium, because it uses data about persons.').waitFor();
  await check('problem-risk');
  await page.getByRole('radio', { name: /^Medium/ }).check();
  await page.getByRole('button', { name: 'Next: Costs and threshold' }).click();
  await page.getByText('A false alarm costs 2.5 €, a miss 90 €.').waitFor();
  await page.getByText('Try numbers of your own').click();
  for (const [label, n] of [['Right alarms', '40'], ['False alarms', '60'], ['Misses', '40'], ['Rightly left alone', '860']]) await page.getByLabel(label, { exact: true }).fill(n);
  await page.getByText('3,750 €').first().waitFor();
  await check('problem-costs');
  assert.ok(Date.now() - began < 5 * 60_000, 'under five minutes');
  await page.getByRole('link', { name: 'Done: see what is next' }).click();
  await page.getByText('All patients with an appointment.').waitFor();
  await check('overview-stated');
});

test('a gate blocks, a waiver passes it, and the trail shows both for ever', async () => {
  const { page, check } = ana;
  await page.getByText('Nobody is named as data scientist yet.').waitFor();
  assert.equal(await page.getByRole('button', { name: /^Move on to/ }).count(), 0, 'the gate is closed');
  await page.getByRole('button', { name: 'Move on without…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Name a data scientist for the project').waitFor();
  await dialog.getByLabel('Reason').fill('A trial with ten patients');
  await dialog.getByRole('button', { name: 'Waive and move on' }).click();
  await page.getByText('The way so far').waitFor();
  await page.getByText(/Ana moved it here without: Name a data scientist for the project/).waitFor();
  await check('waiver');
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByText(/moved the project to data, cycle 1, waiving scientist/).first().waitFor();
  await page.getByText('A trial with ten patients').first().waitFor();
});

test('a handoff goes from one computer to the other: asked about, answered, accepted', async () => {
  const project = ana.call('project.list')[0].id;
  await ana.go(`/projects/${project}`);
  await ana.page.getByRole('button', { name: 'Move back…' }).click();
  await ana.page.getByLabel('Reason').fill('First the handoff');
  await ana.page.getByRole('button', { name: 'Move the project back' }).click();
  await ana.page.getByRole('link', { name: 'Handoffs' }).click();
  await ana.page.getByRole('button', { name: 'Begin the checklist G1' }).click();
  await ana.page.getByRole('link', { name: /^G1: From the business problem/ }).click();
  await ana.page.getByRole('button', { name: 'Pick it up' }).click();
  for (const item of ['G1.1', 'G1.2', 'G1.3']) {
    await ana.page.getByRole('button', { name: `Do item ${item}` }).click();
    const dialog = ana.page.getByRole('dialog');
    await dialog.getByLabel('How do you know?').fill('As stated in the problem');
    await dialog.getByLabel('Where can it be seen?').selectOption({ label: 'Project: Fewer missed appointments' });
    await dialog.getByRole('button', { name: `Mark ${item} as done` }).click();
    await dialog.waitFor({ state: 'detached' });
  }
  await ana.page.getByText('1 needed items are open').waitFor();
  // A validator is named, who is not one of the developers.
  const me = ana.call('app.status').workspace.me.id;
  const his = max.call('app.status').workspace.me.id;
  ana.call('member.grant', { member: me, role: 'validator' });
  for (const [member, role] of [[me, 'business_owner'], [his, 'data_scientist'], [me, 'validator']]) ana.call('project.set_member', { project, member, role, belongs: true });
  await ana.page.getByRole('button', { name: 'Who and until when…' }).click();
  await ana.page.getByRole('dialog').getByLabel('Until when').fill('2030-01-31');
  await ana.page.getByRole('button', { name: 'Save' }).click();
  await ana.page.getByText('Due Jan 31, 2030').waitFor();
  await ana.page.getByRole('button', { name: 'Hand over to the data engineer' }).click();
  await ana.page.getByText('→ Handed over').waitFor();
  ana.share();
  max.share();

  await max.go('/');
  await max.page.getByRole('button', { name: /G1 was handed to you/ }).click();
  await max.page.getByText('What you need to go on').waitFor();
  await max.page.getByText('Whom the front desk calls the day before.').waitFor();
  await max.check('handoff-received');
  await max.page.getByRole('button', { name: 'Take it, to look at it' }).click();
  await max.page.getByLabel('Your comment or question').last().fill('Also children?');
  await max.page.getByRole('button', { name: 'Ask', exact: true }).last().click();
  await max.page.getByText('? Question to Ana').waitFor();
  await max.page.getByRole('button', { name: 'Accept: I have what I need' }).click();
  await max.page.getByText('1 of your questions is not answered yet').waitFor();
  max.share();
  ana.share();

  await ana.go('/');
  await ana.page.getByRole('button', { name: /Max asks/ }).click();
  await ana.page.getByRole('button', { name: 'Answer' }).click();
  await ana.page.getByLabel('Your answer').fill('No, adults only.');
  await ana.page.getByRole('button', { name: 'Send the answer' }).click();
  await ana.page.getByText('✓ Answered to Ana').waitFor();
  await ana.check('question-answered');
  ana.share();
  max.share();

  await max.page.getByText('No, adults only.').waitFor();
  await max.page.getByRole('button', { name: 'Accept: I have what I need' }).click();
  await max.page.getByText('✓ Accepted').waitFor();
  max.share();
  ana.share();
  await ana.go('/');
  await ana.page.getByText('Changed since you looked').waitFor();
  await ana.page.getByRole('button', { name: /Show all/ }).click();
  await ana.page.getByText('accepted a handoff').first().waitFor();
  await ana.check('home-changed');
  await ana.page.getByRole('button', { name: 'I have seen this' }).click();
  await ana.page.getByText('Changed since you looked').waitFor({ state: 'detached' });
});

test('criteria are signed before the test, and findings are given to somebody by a day', async () => {
  const project = ana.call('project.list')[0].id;
  await ana.go(`/projects/${project}/checks`);
  await ana.page.getByRole('button', { name: 'Write the criteria' }).click();
  const dialog = ana.page.getByRole('dialog');
  await dialog.getByLabel('Metric').fill('recall');
  await dialog.getByLabel('Threshold').fill('a lot');
  await dialog.getByLabel('Test data, by its digest').fill('d2');
  await dialog.getByRole('button', { name: 'Write these criteria' }).click();
  await dialog.getByText('Recall: "a lot" is no number.').waitFor();
  await dialog.getByLabel('Threshold').fill('0,8');
  await ana.check('criteria-write');
  await dialog.getByRole('button', { name: 'Write these criteria' }).click();
  await ana.page.getByText('recall at least 0.8 with 95 % confidence').first().waitFor();
  await ana.page.getByRole('button', { name: 'Sign these criteria…' }).click();
  await ana.page.getByRole('radio', { name: 'Business owner' }).check();
  await ana.page.getByRole('button', { name: 'Sign the criteria' }).click();
  await ana.page.getByText('Signed, test data not opened').waitFor();
  await ana.page.getByRole('button', { name: 'Raise a finding' }).click();
  await ana.page.getByLabel('What did you find?').fill('Misses the old');
  await ana.page.getByRole('radio', { name: /^High/ }).check();
  await ana.page.getByRole('button', { name: 'Raise the finding' }).click();
  await ana.page.getByRole('button', { name: 'Give to somebody…' }).click();
  await ana.page.getByRole('dialog').getByRole('combobox').selectOption({ label: 'Max' });
  await ana.page.getByRole('dialog').getByLabel('Until when').fill('2020-01-31');
  await ana.page.getByRole('button', { name: 'Save' }).click();
  await ana.page.getByText(/Overdue since Jan 31, 2020/).waitFor();
  await ana.check('criteria-findings');
});

test('two people edit one note offline, and both texts survive', async () => {
  const project = ana.call('project.list')[0].id;
  const about = { kind: 'project', id: project };
  const note = ana.call('note.save', { about, title: 'Plan', text: 'First line.\n\nLast line.' });
  ana.share();
  max.share();
  for (const [person, from, to] of [[ana, 'First line.', 'First line, by Ana.'], [max, 'Last line.', 'Last line, by Max.']]) {
    await person.go(`/projects/${project}/notes`);
    await person.page.getByRole('button', { name: /^Edit.*Plan/ }).click();
    const field = person.page.getByRole('textbox', { name: /^Text/ });
    await field.fill((await field.inputValue()).replace(from, to));
    await person.page.getByRole('button', { name: 'Save the note' }).click();
    await person.page.getByText(to).first().waitFor();
  }
  for (const person of [ana, max, ana]) person.share();
  for (const person of [ana, max]) {
    await person.page.getByText('First line, by Ana.').first().waitFor();
    await person.page.getByText('Last line, by Max.').first().waitFor();
    await person.page.getByText(/Brought together from edits of/).waitFor();
  }
  assert.ok(note.id);
});

test('a note of ten megabytes is refused with a reason, and nothing that was typed is lost', async () => {
  const { page, check } = ana;
  await page.getByRole('button', { name: 'Write a note' }).click();
  await page.getByRole('button', { name: 'Meeting' }).click();
  await page.getByText('Who was there').last().waitFor();
  const field = page.getByRole('textbox', { name: /^Text/ });
  await field.fill('x'.repeat(10_000_000));
  await page.getByText(/of 48 KB: too long for one note/).waitFor();
  await page.getByRole('button', { name: 'Save the note' }).click();
  await page.getByRole('alert').getByText(/too long|longer than/i).waitFor();
  assert.equal(await field.evaluate((area) => area.value.length), 10_000_000, 'the work is kept');
  await field.fill('Short again, with $x^2$ and <script>document.title = "hacked"</script> and <img src=x onerror="document.title=1">');
  await page.getByLabel('Preview').locator('math').waitFor();
  await check('note-editor');
  await page.getByRole('button', { name: 'Save the note' }).click();
  await page.getByRole('heading', { level: 3, name: 'Meeting' }).waitFor();
  assert.doesNotMatch(await page.title(), /hacked|1/, 'nothing in a note runs');
});

test('two notebooks are put into notes, looked at without anything running, and compared cell by cell', async () => {
  const { page, check } = ana;
  const notebook = (depth, output) =>
    Buffer.from(
      JSON.stringify({
        nbformat: 4,
        metadata: { language_info: { name: 'python' } },
        cells: [
          { cell_type: 'markdown', source: '# Which depth?' },
          { cell_type: 'code', execution_count: depth, source: `model = train(depth=${depth})\nscore(model)`, outputs: [{ output_type: 'stream', name: 'stdout', text: `recall 0.${depth}\n` }] },
          { cell_type: 'code', execution_count: 9, source: 'plot()', outputs: [{ output_type: 'display_data', data: { 'text/html': output } }] },
        ],
      }),
    );
  const evil = '<script>document.title = "hacked"</script><img src=x onerror="document.title = 1"><b onclick="document.title = 2">A table</b>';
  for (const [title, depth, output] of [['First try', 3, '<b>A table</b>'], ['Second try', 4, evil]]) {
    await page.getByRole('button', { name: 'Write a note' }).click();
    await page.getByLabel('Title', { exact: true }).fill(title);
    const chosen = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Put in a picture or a notebook…' }).click();
    await (await chosen).setFiles({ name: 'depth.ipynb', mimeType: 'application/x-ipynb+json', buffer: notebook(depth, output) });
    await page.getByLabel('Preview').getByRole('button', { name: 'Look at the notebook depth.ipynb' }).waitFor();
    await page.getByRole('button', { name: 'Save the note' }).click();
    await page.getByRole('heading', { level: 3, name: title }).waitFor();
  }
  const second = page.getByRole('article').filter({ has: page.getByRole('heading', { name: 'Second try' }) });
  await second.getByRole('button', { name: 'Look at the notebook depth.ipynb' }).click();
  await second.getByText('A table').waitFor();
  await check('note-notebook');
  await second.getByRole('button', { name: 'Compare depth.ipynb with another…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /depth\.ipynb/ }).first().click();
  await dialog.getByText('Of 3 cells: 1 changed, 1 with other outputs only.').waitFor();
  await dialog.getByText('model = train(depth=3)').waitFor();
  await dialog.getByText('model = train(depth=4)').waitFor();
  await check('notebook-compare');
  assert.doesNotMatch(await page.title(), /hacked|1|2/, 'nothing in a notebook runs');
  await page.keyboard.press('Escape');
});

test('a cycle closes and the next begins, with what stays true', async () => {
  const { page, check } = ana;
  const project = ana.call('project.create', { title: 'Round again', template: 'light/1', problem: 'They leave' }).id;
  for (const stage of ['data', 'training', 'validation', 'approval', 'operation']) ana.call('project.enter_stage', { project, stage, reason: 'a trial' });
  await ana.go(`/projects/${project}`);
  await page.getByRole('button', { name: 'Record what makes a new cycle begin…' }).click();
  await page.getByRole('radio', { name: /^A change/ }).check();
  await page.getByLabel('What happened?').fill('Many book online now');
  await page.getByRole('button', { name: 'Record it' }).click();
  await page.getByText(/Cycle 2 will begin because of a change/).waitFor();
  await page.getByRole('button', { name: 'Move on without…' }).click();
  await page.getByText('Begins anew').waitFor();
  await check('close-cycle');
  await page.getByLabel('Reason').fill('Enough seen');
  await page.getByRole('button', { name: 'Waive and move on' }).click();
  await page.getByText('Began because of a change').waitFor();
  await page.getByText('They leave').first().waitFor();
  await check('next-cycle');
});

test('anything is found from the palette, lineage is walked by keyboard, and all projects stand on one page', async () => {
  const { page, check } = ana;
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Search and do anything' }).fill('misses the ol');
  await page.getByRole('option', { name: /Misses the old/ }).waitFor();
  await check('palette-found');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Misses the old' }).waitFor();
  await page.getByRole('link', { name: 'Lineage and links' }).click();
  await page.getByRole('heading', { level: 1, name: 'Fewer missed appointments' }).waitFor();
  await page.getByRole('link', { name: 'Misses the old' }).waitFor();
  await check('graph');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await until('walked on', async () => (await page.getByRole('heading', { level: 1 }).textContent()) !== 'Fewer missed appointments');
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.getByRole('heading', { level: 1, name: 'All projects' }).waitFor();
  await page.getByText('▲ 1 high').waitFor();
  await page.getByText(/takes longest/).first().waitFor();
  await check('portfolio');
});

test('what is watched in operation is planned, reported and seen beyond its threshold', async () => {
  const { page, check } = ana;
  const project = ana.call('project.list')[0].id;
  await ana.go(`/projects/${project}/models`);
  await page.getByText('Nothing is watched yet').waitFor();
  await page.getByRole('button', { name: 'Plan a monitor' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What is watched').selectOption('quality');
  await dialog.getByLabel('What is measured').fill('Recall of the week');
  await dialog.getByLabel('All is well while it is').selectOption('at_least');
  await dialog.getByLabel('Threshold').fill('0.8');
  await dialog.getByLabel('How they are told').fill('#ml-alarms');
  await check('monitor-plan');
  await dialog.getByRole('button', { name: 'Save the monitor' }).click();
  const card = page.getByRole('article', { name: 'Monitor: Recall of the week' });
  await card.getByText('No value yet').waitFor();
  for (const [value, state] of [['0.85', '✓ Well'], ['0.71', '⚠ Beyond its threshold']]) {
    await card.getByRole('button', { name: /Report a value/ }).click();
    await dialog.getByLabel('Value, as it was seen just now').fill(value);
    await dialog.getByLabel('Where it comes from').fill('the weekly report');
    await dialog.getByRole('button', { name: 'Report it' }).click();
    await card.getByText(state).waitFor();
  }
  await card.getByText('from the weekly report, reported by Ana').waitFor();
  await check('monitors');
});

test('the team says how far it is, beside what the records show', async () => {
  const { page, check } = ana;
  await ana.go('/team');
  await page.getByRole('link', { name: 'How far we are' }).click();
  await page.getByText('Nobody has assessed yet').waitFor();
  await check('maturity-empty');
  await page.getByRole('button', { name: 'Assess now' }).click();
  for (const group of await page.getByRole('group').all()) await group.getByRole('radio', { name: 'Yes' }).check();
  await page.getByRole('group', { name: /delivered without handwork/ }).getByRole('radio', { name: 'Partly' }).check();
  await page.getByLabel('What we know it by').first().fill('The nightly job calls the same command.');
  await check('maturity-form');
  await page.getByRole('button', { name: 'Record this assessment' }).click();
  await page.getByRole('heading', { name: 'Level 1: Pipeline and continuous training' }).first().waitFor();
  await page.getByText('To level 2 (Continuous delivery of pipelines) one statement is missing').waitFor();
  await page.getByText('The nightly job calls the same command.').waitFor();
  await check('maturity');
  await page.getByRole('link', { name: 'Microsoft: levels 0 to 4' }).click();
  await page.getByText('Nobody has assessed yet').waitFor();
});

test('words explain themselves to the pointer and to the keyboard', async () => {
  const { page } = ana;
  await ana.go('/lifecycles');
  const word = page.getByRole('heading', { level: 1 }).getByText('Lifecycles');
  const tip = page.locator('.tip');
  await until('the word has the focus', async () => {
    await page.keyboard.press('Tab');
    return word.evaluate((w) => w === document.activeElement);
  });
  await tip.waitFor();
  assert.equal(await tip.textContent(), await word.getAttribute('aria-description'));
  await page.keyboard.press('Escape');
  await tip.waitFor({ state: 'detached' });
  await word.hover();
  await tip.waitFor();
});

test('the guided way can be read in the dark and at 200 %', async () => {
  const { page, check } = ana;
  const project = ana.call('project.list')[0].id;
  const list = ana.call('checklist.list', { project })[0].id;
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  await page.setViewportSize({ width: 640, height: 800 });
  for (const [hash, name] of [[`/projects/${project}/problem`, 'problem'], [`/projects/${project}/checks`, 'checks'], [`/handoffs/${list}`, 'handoff'], ['/portfolio', 'portfolio'], ['/maturity', 'maturity'], [`/graph/project/${project}`, 'graph'], ['/', 'home']]) {
    await ana.go(hash);
    await until('all of it is there', () =>
      page.evaluate(() => !document.querySelector('.skeleton') && document.querySelector('.main').innerText.length > 200));
    await until('nothing is cut off', () => page.evaluate(() => ['.main', 'html'].every((part) => document.querySelector(part).scrollWidth <= Math.min(innerWidth, document.querySelector(part).clientWidth))));
    await check(`${name}-dark-200`);
  }
});

test('nothing failed behind the scenes', () => {
  for (const person of [ana, max]) assert.deepEqual(person.problems.filter((p) => !/400 \(Bad Request\)/.test(p)), []);
});
