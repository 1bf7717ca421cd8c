// Gets the keys of profiles with the AWS SDK for JavaScript. Prints, as JSON by profile, the ID of the keys, which is no secret, or an error.
// Arguments: the folder with its packages, and the names.
import { createRequire } from 'node:module';

const [folder, ...names] = process.argv.slice(2);
const { fromNodeProviderChain } = createRequire(`${folder}/`)('@aws-sdk/credential-providers');
const found = {};
for (const profile of names) {
    try {
        found[profile] = (await fromNodeProviderChain({ profile })()).accessKeyId;
    } catch (error) {
        found[profile] = `${error.name}: ${error.message}`;
    }
}
console.log(JSON.stringify(found));
