// What endpoint_keys.py does, with the AWS SDK for JavaScript. The first argument is the folder with its packages.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, wanted, clients] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const { fromNodeProviderChain } = createRequire(`${folder}/`)('@aws-sdk/credential-providers');

const seen = new Set();
const problems = new Set();

async function look(provider) {
    const start = new Date();
    try {
        const keys = await provider();
        if (!keys.accessKeyId.startsWith('ASIA')) problems.add('the keys are from a file');
        else if (keys.expiration <= start) problems.add('the keys had expired');
        else return keys.accessKeyId;
    } catch (error) {
        problems.add(`${error.name}: ${error.message}`);
    }
    return undefined;
}

const one = fromNodeProviderChain();
while (seen.size < wanted && !problems.size) {
    const id = await look(one);
    if (id) seen.add(id);
    await sleep(200);
}

const together = await Promise.all(Array.from({ length: clients }, () => look(fromNodeProviderChain())));
console.log(JSON.stringify({ Seen: seen.size, Together: together.filter(Boolean).length, Problems: [...problems] }));
