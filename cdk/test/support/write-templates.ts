// Writes templates for cfn-lint into the folder given as an argument. It writes one template for
// each option set, and one with the policies of the account guide and the example state machines.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { BOUNDARY_ADDITIONS } from '../../lib/boundary.ts';
import { listOf, policyOf } from './iam.ts';
import { OPTION_SETS } from './option-sets.ts';
import { ROOT, template } from './synth.ts';

const [folder = '.'] = process.argv.slice(2);

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, `${name.replaceAll(' ', '-')}.json`), JSON.stringify(content));
}

for (const [name, context] of Object.entries(OPTION_SETS)) write(name, template(context).toJSON());

// The resource schema of an API stage lists this action, but cfn-lint's list of actions does not.
const UNKNOWN_TO_CFN_LINT = 'apigateway:*TagResource';

function policy(name: string): unknown {
  const { policy } = policyOf(name);
  for (const statement of policy.Statement) {
    statement.Action = listOf(statement.Action).filter((action) => action !== UNKNOWN_TO_CFN_LINT);
  }
  return { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: policy } };
}

function stateMachine(name: string, substitutions: Record<string, string>): unknown {
  const path = join(ROOT, 'examples', 'step-functions', `${name}.asl.json`);
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      RoleArn: 'arn:aws:iam::000000000000:role/any',
      DefinitionString: readFileSync(path, 'utf8'),
      DefinitionSubstitutions: {
        FunctionArn: 'arn:aws:lambda:us-west-2:000000000000:function:any',
        ...substitutions,
      },
    },
  };
}

write('written by hand', {
  Resources: {
    Boundary: policy('LlmExeLambdaCdkPermissionBoundaryPolicy'),
    Deploy: policy('DeployLlmExeCdkAppPolicy'),
    ...Object.fromEntries(
      BOUNDARY_ADDITIONS.map(({ name }) => [name, policy(`LlmExeLambdaCdk${name}Policy`)]),
    ),
    Research: stateMachine('research', {}),
    Article: stateMachine('article', {}),
    Approval: stateMachine('approval', {
      ApprovalQueueUrl: 'https://sqs.us-west-2.amazonaws.com/000000000000/any',
    }),
  },
});
