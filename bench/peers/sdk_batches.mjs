// What boto3_pool.py does, with the AWS SDK for JavaScript and 16 requests at a time. The first argument is the folder with its packages.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const BATCH = 16;
const [folder, tokenFile, profilesFile, credentialsFile, passes] = process.argv.slice(2);
const { SSOClient, GetRoleCredentialsCommand } = createRequire(`${folder}/`)('@aws-sdk/client-sso');

const { accessToken } = JSON.parse(readFileSync(tokenFile, 'utf8'));
const profiles = readFileSync(profilesFile, 'utf8').trim().split('\n').map((line) => line.split(' '));
const sso = new SSOClient({ region: 'us-west-2' });

async function fetchKeys([name, accountId, roleName]) {
    const { roleCredentials } = await sso.send(new GetRoleCredentialsCommand({ accountId, roleName, accessToken }));
    return `[${name}]
aws_access_key_id = ${roleCredentials.accessKeyId}
aws_secret_access_key = ${roleCredentials.secretAccessKey}
aws_session_token = ${roleCredentials.sessionToken}
`;
}

async function update() {
    const sections = [];
    for (let first = 0; first < profiles.length; first += BATCH) {
        sections.push(...await Promise.all(profiles.slice(first, first + BATCH).map(fetchKeys)));
    }
    writeFileSync(credentialsFile, sections.join('\n'), { mode: 0o600 });
}

const seconds = [];
for (let pass = 0; pass < Number(passes); pass++) {
    const start = performance.now();
    await update();
    seconds.push((performance.now() - start) / 1000);
}
const usage = process.resourceUsage();
// The figure of resourceUsage includes what the parent had in memory when it started this program.
const status = existsSync('/proc/self/status') ? /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] : undefined;
console.log(JSON.stringify({ seconds, cpu: (usage.userCPUTime + usage.systemCPUTime) / 1e6, memory: Number(status ?? usage.maxRSS) / 1024 }));
// The connections that are kept open would hold the program for some seconds more.
sso.destroy();
